-- Message templates of a WhatsApp account, as Meta has them. Words of Meta's are kept in lower case and are open: new ones
-- come without notice.
create table messaging.templates (
    organization_id uuid not null,
    id uuid not null,
    waba_id text not null,
    name text not null,
    -- `en_US`: one template of a name for each language.
    language text not null,
    category text not null,
    -- When it was that.
    category_at timestamptz not null,
    -- `positional`: {{1}}, {{2}}; `named`: {{first_name}}.
    parameter_format text not null,
    -- Meta's id; null until it was submitted. Names are used again after a deletion, ids are not.
    provider_id text,
    -- `draft` is ours, the others Meta's. Only an `approved` one can be sent.
    status text not null,
    status_reason text not null default '',
    -- When that was so: what is told late does not undo what is newer.
    status_at timestamptz not null,
    quality text not null default 'unknown',
    -- switchboard.messaging.v1.TemplateDefinition, proto3 JSON.
    definition jsonb not null,
    -- Counts what `definition` was, from 1.
    revision integer not null,
    -- When it was last handed to Meta. Without a `provider_id` then, nobody knows whether Meta has it.
    submitted_at timestamptz,
    -- When it was last seen in Meta's list.
    synced_at timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, id)
);
-- A deleted name is free again.
create unique index templates_name_key on messaging.templates (organization_id, waba_id, name, language)
    where status <> 'deleted';
create unique index templates_provider_id_key on messaging.templates (organization_id, provider_id)
    where provider_id is not null;
create index templates_by_name on messaging.templates (organization_id, name, language, id);
call messaging.enforce_tenancy('messaging.templates');

-- What a template said at a time: messages show what was really sent.
create table messaging.template_revisions (
    organization_id uuid not null,
    template_id uuid not null,
    revision integer not null,
    definition jsonb not null,
    -- `user:…`, or `system:whatsapp` where it was found at Meta.
    author text not null,
    created_at timestamptz not null,
    primary key (organization_id, template_id, revision),
    foreign key (organization_id, template_id) references messaging.templates (organization_id, id) on delete cascade
);
call messaging.enforce_tenancy('messaging.template_revisions');

-- How well each account's list is known.
create table messaging.template_syncs (
    organization_id uuid not null,
    waba_id text not null,
    synced_at timestamptz,
    -- Empty after a list that was read to its end.
    failure text not null default '',
    failed_at timestamptz,
    primary key (organization_id, waba_id)
);
call messaging.enforce_tenancy('messaging.template_syncs');

-- Numbers that are connected already have templates, too. The owner sees no tenant's rows but for this moment.
alter table messaging.channels no force row level security;
alter table messaging.jobs no force row level security;
insert into messaging.jobs (id, kind, organization_id, payload, unique_key, due_at, max_attempts, created_at)
select gen_random_uuid(), 'messaging.sync_templates', organization_id, jsonb_build_object('waba_id', waba_id), waba_id,
       now(), 20, now()
from (select distinct organization_id, waba_id from messaging.channels) as accounts
on conflict do nothing;
alter table messaging.channels force row level security;
alter table messaging.jobs force row level security;
