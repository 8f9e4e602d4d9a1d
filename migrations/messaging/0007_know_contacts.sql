-- What an organization knows about a customer besides how to reach one.
alter table messaging.contacts
    -- BCP 47, empty while unknown.
    add column locale text not null default '',
    -- IANA name, empty while unknown.
    add column time_zone text not null default '',
    -- Values of `attribute_definitions` by key, each in the JSON type of its kind.
    add column attributes jsonb not null default '{}',
    -- Nothing is sent to a blocked contact.
    add column blocked_at timestamptz,
    -- The contact this one became part of. Its id keeps leading there.
    add column merged_into_id uuid,
    add column version bigint not null default 1,
    add constraint contacts_merged_into_fkey foreign key (organization_id, merged_into_id)
        references messaging.contacts (organization_id, id) on delete cascade;
create index contacts_merged on messaging.contacts (organization_id, merged_into_id) where merged_into_id is not null;

-- E-mail addresses are how other systems know people; they are kept in lower case.
alter table messaging.contact_identities
    drop constraint contact_identities_kind_check,
    add constraint contact_identities_kind_check check (kind in ('phone', 'user_id', 'username', 'email'));

-- A conversation whose messages are part of another one since its contact was merged. Its id keeps leading there.
alter table messaging.conversations
    add column merged_into_id uuid,
    add constraint conversations_merged_into_fkey foreign key (organization_id, merged_into_id)
        references messaging.conversations (organization_id, id) on delete cascade;
create index conversations_merged on messaging.conversations (organization_id, merged_into_id)
    where merged_into_id is not null;

-- The merges that brought a message into its conversation, the latest last: what it takes to move it back.
alter table messaging.messages add column moved_by uuid[];

-- Where an id leads after merges: itself, if there were none; null, if there is no such row.
create function messaging.kept_contact(organization uuid, contact uuid) returns uuid
language sql stable
as $$
    with recursive lead as (
        select c.id, c.merged_into_id from messaging.contacts c where c.organization_id = organization and c.id = contact
        union all
        select c.id, c.merged_into_id from lead
        join messaging.contacts c on c.organization_id = organization and c.id = lead.merged_into_id
    )
    select id from lead where merged_into_id is null
$$;

create function messaging.kept_conversation(organization uuid, conversation uuid) returns uuid
language sql stable
as $$
    with recursive lead as (
        select c.id, c.merged_into_id from messaging.conversations c
        where c.organization_id = organization and c.id = conversation
        union all
        select c.id, c.merged_into_id from lead
        join messaging.conversations c on c.organization_id = organization and c.id = lead.merged_into_id
    )
    select id from lead where merged_into_id is null
$$;

-- What an organization may note of its contacts, typed.
create table messaging.attribute_definitions (
    organization_id uuid not null,
    -- Lower case letters, digits and underscores; never changes, others name it.
    key text not null,
    name text not null,
    kind text not null check (kind in ('text', 'number', 'boolean', 'date', 'choice', 'link')),
    -- Of a choice.
    options text[] not null default '{}',
    position integer not null,
    created_at timestamptz not null,
    primary key (organization_id, key)
);
call messaging.enforce_tenancy('messaging.attribute_definitions');

create table messaging.contact_notes (
    organization_id uuid not null,
    id uuid not null,
    contact_id uuid not null,
    -- `user:usr_…`, `api_key:key_…`
    author text not null,
    body text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, id),
    constraint contact_notes_contact_fkey foreign key (organization_id, contact_id)
        references messaging.contacts (organization_id, id) on delete cascade
);
create index contact_notes_of_contact on messaging.contact_notes (organization_id, contact_id, id desc);
call messaging.enforce_tenancy('messaging.contact_notes');

-- Two contacts that became one, with what it takes to undo that.
create table messaging.contact_merges (
    organization_id uuid not null,
    id uuid not null,
    kept_id uuid not null,
    merged_id uuid not null,
    -- manual: a person said so; linked: WhatsApp showed both of their ids in one message.
    reason text not null check (reason in ('manual', 'linked')),
    actor text not null,
    -- The order of merges: they are taken back in the opposite one.
    position bigint generated always as identity,
    -- What moved to the kept contact, and what of it was changed: see `store/merges/record.rs`.
    moved jsonb not null,
    merged_at timestamptz not null,
    undone_at timestamptz,
    undone_by text,
    primary key (organization_id, id),
    constraint contact_merges_kept_fkey foreign key (organization_id, kept_id)
        references messaging.contacts (organization_id, id) on delete cascade,
    constraint contact_merges_merged_fkey foreign key (organization_id, merged_id)
        references messaging.contacts (organization_id, id) on delete cascade
);
create index contact_merges_of_kept on messaging.contact_merges (organization_id, kept_id, position desc);
create index contact_merges_of_merged on messaging.contact_merges (organization_id, merged_id, position desc);
call messaging.enforce_tenancy('messaging.contact_merges');

-- What a customer agreed to and took back, when, and how we know. What was said last counts.
create table messaging.consents (
    organization_id uuid not null,
    id uuid not null,
    contact_id uuid not null,
    purpose text not null check (purpose in ('marketing', 'utility')),
    granted boolean not null,
    -- keyword: a word such as STOP in a message; whatsapp: the customer's own setting there.
    source text not null check (source in ('keyword', 'whatsapp', 'agent', 'api', 'import', 'form')),
    -- The message that said it, the address of a form, the words of an agent.
    proof jsonb not null,
    actor text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    -- The order of what was said at one moment.
    position bigint generated always as identity,
    primary key (organization_id, id),
    constraint consents_contact_fkey foreign key (organization_id, contact_id)
        references messaging.contacts (organization_id, id) on delete cascade
);
create index consents_of_contact on messaging.consents (organization_id, contact_id, purpose, occurred_at desc, position desc);
call messaging.enforce_tenancy('messaging.consents');

-- Nothing said is ever changed. Only whose it is: contacts become one.
create function messaging.keep_consent() returns trigger
language plpgsql
as $$
begin
    if row(new.*) is distinct from row(old.organization_id, old.id, new.contact_id, old.purpose, old.granted, old.source,
        old.proof, old.actor, old.occurred_at, old.recorded_at, old.position)
    then
        raise exception 'consents are never changed' using errcode = 'restrict_violation';
    end if;
    return new;
end
$$;
create trigger keep_consent before update on messaging.consents
    for each row execute function messaging.keep_consent();
