-- The work of a team on its conversations.

-- Columns that are new to old rows get their defaults without a rewrite; checks are replaced by wider ones.
alter table messaging.conversations
    drop constraint conversations_status_check,
    add constraint conversations_status_check check (status in ('open', 'pending', 'snoozed', 'resolved')),
    -- When a snoozed one opens by itself.
    add column snoozed_until timestamptz,
    -- 0 none, 1 low, 2 medium, 3 high, 4 urgent.
    add column priority smallint not null default 0 check (priority between 0 and 4),
    add column assignee_id uuid,
    add column team_id uuid,
    -- Inbound messages ever: what a person has not read is this less the count at the last look.
    add column inbound_count bigint not null default 0,
    -- Raised by each change of status, priority, assignment or labels: whoever read an older one is told so.
    add column version bigint not null default 1,
    add constraint conversations_snoozed check ((status = 'snoozed') = (snoozed_until is not null));
create index conversations_of_assignee
    on messaging.conversations (organization_id, assignee_id, status, last_message_at desc, id desc)
    where assignee_id is not null;
create index conversations_of_team
    on messaging.conversations (organization_id, team_id, status, last_message_at desc, id desc)
    where team_id is not null;
create index conversations_of_nobody
    on messaging.conversations (organization_id, status, last_message_at desc, id desc)
    where assignee_id is null;
create index conversations_to_wake on messaging.conversations (snoozed_until) where status = 'snoozed';

create table messaging.labels (
    organization_id uuid not null,
    id uuid not null,
    name text not null,
    -- `#rrggbb`
    color text not null,
    created_at timestamptz not null,
    primary key (organization_id, id)
);
create unique index labels_name_key on messaging.labels (organization_id, lower(name));
call messaging.enforce_tenancy('messaging.labels');

create table messaging.conversation_labels (
    organization_id uuid not null,
    conversation_id uuid not null,
    label_id uuid not null,
    primary key (organization_id, conversation_id, label_id),
    constraint conversation_labels_conversation_fkey foreign key (organization_id, conversation_id)
        references messaging.conversations (organization_id, id) on delete cascade,
    constraint conversation_labels_label_fkey foreign key (organization_id, label_id)
        references messaging.labels (organization_id, id) on delete cascade
);
create index conversation_labels_of_label on messaging.conversation_labels (organization_id, label_id, conversation_id);
call messaging.enforce_tenancy('messaging.conversation_labels');

-- Who follows a conversation besides its assignee.
create table messaging.conversation_participants (
    organization_id uuid not null,
    conversation_id uuid not null,
    user_id uuid not null,
    added_at timestamptz not null,
    primary key (organization_id, conversation_id, user_id),
    constraint conversation_participants_conversation_fkey foreign key (organization_id, conversation_id)
        references messaging.conversations (organization_id, id) on delete cascade
);
create index conversation_participants_of_user
    on messaging.conversation_participants (organization_id, user_id, conversation_id);
call messaging.enforce_tenancy('messaging.conversation_participants');

-- How far each person has read.
create table messaging.conversation_reads (
    organization_id uuid not null,
    conversation_id uuid not null,
    user_id uuid not null,
    -- `inbound_count` at the last look.
    read_count bigint not null,
    read_at timestamptz not null,
    primary key (organization_id, conversation_id, user_id),
    constraint conversation_reads_conversation_fkey foreign key (organization_id, conversation_id)
        references messaging.conversations (organization_id, id) on delete cascade
);
call messaging.enforce_tenancy('messaging.conversation_reads');

-- Notes and what was done with a conversation stand in the stream of what was said: direction 3 is a note, 4 an activity,
-- and status 110 says that neither goes anywhere.
alter table messaging.messages
    drop constraint messages_direction_check,
    add constraint messages_direction_check check (direction in (1, 2, 3, 4)),
    drop constraint messages_status_check,
    add constraint messages_status_check check (status in (0, 10, 11, 15, 20, 30, 35, 40, 50, 60, 100, 110)),
    -- What is recorded is nothing that was or will be sent, and the other way round.
    add constraint messages_recorded check ((direction in (3, 4)) = (status = 110));

create table messaging.mentions (
    organization_id uuid not null,
    user_id uuid not null,
    message_id uuid not null,
    conversation_id uuid not null,
    read_at timestamptz,
    primary key (organization_id, user_id, message_id),
    constraint mentions_conversation_fkey foreign key (organization_id, conversation_id)
        references messaging.conversations (organization_id, id) on delete cascade
);
create index mentions_unread on messaging.mentions (organization_id, user_id, message_id desc) where read_at is null;
create index mentions_of_conversation on messaging.mentions (organization_id, conversation_id);
call messaging.enforce_tenancy('messaging.mentions');

-- Saved filters.
create table messaging.views (
    organization_id uuid not null,
    id uuid not null,
    owner_id uuid not null,
    -- Everybody sees it; its owner changes it.
    shared boolean not null default false,
    name text not null,
    -- switchboard.messaging.v1.ConversationFilter, proto3 JSON.
    filter jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, id)
);
create index views_of_owner on messaging.views (organization_id, owner_id, name, id);
create index views_shared on messaging.views (organization_id, name, id) where shared;
call messaging.enforce_tenancy('messaging.views');

create table messaging.canned_replies (
    organization_id uuid not null,
    id uuid not null,
    -- What an agent types after the slash.
    shortcut text collate "C" not null,
    title text not null,
    -- With variables: `{{contact.name}}`.
    body text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version bigint not null default 1,
    primary key (organization_id, id),
    -- Compared byte by byte, so that the index serves the search by a beginning.
    constraint canned_replies_shortcut_key unique (organization_id, shortcut)
);
call messaging.enforce_tenancy('messaging.canned_replies');

-- Who may be given conversations, as identity tells it. Events may come late and twice, so a row keeps the time of the
-- newest one it knows, and those that left stay as such.
create table messaging.agents (
    organization_id uuid not null,
    user_id uuid not null,
    active boolean not null,
    changed_at timestamptz not null,
    primary key (organization_id, user_id)
);
call messaging.enforce_tenancy('messaging.agents');

create table messaging.teams (
    organization_id uuid not null,
    id uuid not null,
    deleted boolean not null,
    changed_at timestamptz not null,
    primary key (organization_id, id)
);
call messaging.enforce_tenancy('messaging.teams');

create table messaging.team_agents (
    organization_id uuid not null,
    team_id uuid not null,
    user_id uuid not null,
    primary key (organization_id, team_id, user_id),
    constraint team_agents_team_fkey foreign key (organization_id, team_id)
        references messaging.teams (organization_id, id) on delete cascade
);
create index team_agents_of_user on messaging.team_agents (organization_id, user_id, team_id);
call messaging.enforce_tenancy('messaging.team_agents');
