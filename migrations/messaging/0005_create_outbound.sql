-- What waits to be sent, one row per message; gone when the message's attempt has a result.
create table messaging.send_queue (
    organization_id uuid not null,
    message_id uuid not null,
    channel_id uuid not null,
    conversation_id uuid not null,
    -- 0 replies, 1 bulk: replies go first.
    priority smallint not null check (priority in (0, 1)),
    -- The order of one conversation.
    position bigint generated always as identity,
    -- queued; sending: an attempt is under way; held: its answer was lost and the conversation waits.
    state text not null default 'queued' check (state in ('queued', 'sending', 'held')),
    due_at timestamptz not null,
    expires_at timestamptz not null,
    attempts integer not null default 0,
    primary key (organization_id, message_id)
);
create index send_queue_due on messaging.send_queue (organization_id, channel_id, priority, position)
    where state = 'queued';
create index send_queue_sending on messaging.send_queue (organization_id, channel_id) where state = 'sending';
create index send_queue_of_conversation on messaging.send_queue (organization_id, conversation_id, position);
call messaging.enforce_tenancy('messaging.send_queue');

-- One call to WhatsApp, written before the call. A row that still says `sending` after a crash means
-- that the outcome is unknown, not that nothing was sent.
create table messaging.attempts (
    organization_id uuid not null,
    id uuid not null,
    message_id uuid not null,
    channel_id uuid not null,
    number integer not null,
    state text not null check (state in ('sending', 'accepted', 'rejected', 'not_sent', 'unknown', 'unconfirmed')),
    -- The lease under which it was made.
    lane_epoch bigint not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    wamid text,
    provider_code integer,
    detail text,
    primary key (organization_id, id),
    constraint attempts_number_key unique (organization_id, message_id, number)
);
-- Was anything sent later, and did its statuses come?
create index attempts_of_channel on messaging.attempts (organization_id, channel_id, started_at);
create index attempts_open on messaging.attempts (organization_id, channel_id, started_at)
    where state in ('sending', 'unknown');
call messaging.enforce_tenancy('messaging.attempts');

-- Who sends for a number. One replica at a time holds the lease, so pacing needs no distributed
-- limiter; the epoch fences a former owner.
create table messaging.lanes (
    organization_id uuid not null,
    channel_id uuid not null,
    owner text,
    epoch bigint not null default 0,
    lease_until timestamptz not null default '-infinity',
    primary key (organization_id, channel_id),
    foreign key (organization_id, channel_id) references messaging.channels (organization_id, id) on delete cascade
);
create index lanes_by_lease on messaging.lanes (lease_until);
create index lanes_of_owner on messaging.lanes (owner) where owner is not null;
call messaging.enforce_tenancy('messaging.lanes');
