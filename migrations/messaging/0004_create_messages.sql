-- Messages in both directions. The id is a uuid v7, so a range of ids is a range of time: the table
-- is partitioned by id, and the primary key can still be (organization_id, id).
create table messaging.messages (
    organization_id uuid not null,
    id uuid not null,
    conversation_id uuid not null,
    channel_id uuid not null,
    contact_id uuid not null,
    direction smallint not null check (direction in (1, 2)),
    -- The rank of the status; statuses merge by the greatest rank, so their order of arrival does
    -- not matter. 0 queued, 10 sending, 11 expired, 15 unconfirmed, 20 accepted, 30 sent,
    -- 35 failed, 40 delivered, 50 read, 60 played, 100 received.
    status smallint not null check (status in (0, 10, 11, 15, 20, 30, 35, 40, 50, 60, 100)),
    status_at timestamptz not null,
    -- switchboard.messaging.v1.MessageContent, proto3 JSON.
    content jsonb not null,
    wamid text,
    reply_to_message_id uuid,
    failure jsonb,
    author text not null,
    created_at timestamptz not null,
    -- The customer's time for what was received, ours for what is sent: the order people see.
    sent_at timestamptz not null,
    expires_at timestamptz,
    primary key (organization_id, id),
    foreign key (organization_id, conversation_id) references messaging.conversations (organization_id, id)
) partition by range (id);
create index messages_of_conversation on messaging.messages (organization_id, conversation_id, sent_at desc, id desc);
call messaging.enforce_tenancy('messaging.messages');

-- Nothing is refused because a partition is missing.
create table messaging.messages_default partition of messaging.messages default;
call messaging.enforce_tenancy('messaging.messages_default');

-- The lower bound of the uuids v7 of a time.
create function messaging.uuid_at(at timestamptz) returns uuid
language sql immutable strict
as $$
    select (substr(hex, 1, 8) || '-' || substr(hex, 9, 4) || '-0000-0000-000000000000')::uuid
    from lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') as hex
$$;

-- Makes the monthly partitions from the month of `since` to the month of `until`. Run by the
-- migrations and by a scheduled sweep; it runs as the owner because only owners create tables.
create function messaging.ensure_message_partitions(since timestamptz, until timestamptz) returns integer
language plpgsql security definer
set search_path = messaging, pg_temp
as $$
declare
    month timestamptz := date_trunc('month', since at time zone 'utc') at time zone 'utc';
    name text;
    made integer := 0;
begin
    while month <= until loop
        name := 'messages_' || to_char(month at time zone 'utc', 'YYYY_MM');
        if to_regclass('messaging.' || name) is null then
            execute format(
                'create table messaging.%I partition of messaging.messages for values from (%L) to (%L)',
                name,
                messaging.uuid_at(month),
                messaging.uuid_at((month at time zone 'utc' + interval '1 month') at time zone 'utc')
            );
            call messaging.enforce_tenancy(('messaging.' || name)::regclass);
            made := made + 1;
        end if;
        month := (month at time zone 'utc' + interval '1 month') at time zone 'utc';
    end loop;
    return made;
end
$$;
revoke all on function messaging.ensure_message_partitions(timestamptz, timestamptz) from public;
grant execute on function messaging.ensure_message_partitions(timestamptz, timestamptz) to messaging_system;
select messaging.ensure_message_partitions(now(), now() + interval '3 months');

-- WhatsApp's ids. A table partitioned by time can't keep (channel, wamid) unique, so the key lives
-- here, written in the same transaction. A wamid is unique per number, not globally.
create table messaging.message_keys (
    organization_id uuid not null,
    channel_id uuid not null,
    wamid text not null,
    message_id uuid not null,
    primary key (organization_id, channel_id, wamid)
);
call messaging.enforce_tenancy('messaging.message_keys');

-- Every status WhatsApp reported, also for messages we do not know (yet).
create table messaging.message_statuses (
    organization_id uuid not null,
    channel_id uuid not null,
    wamid text not null,
    status text not null,
    -- Group messages report one status per participant.
    recipient text not null,
    provider_at timestamptz not null,
    failure jsonb,
    pricing jsonb,
    -- False until the message it speaks of was found.
    applied boolean not null,
    received_at timestamptz not null,
    primary key (organization_id, channel_id, wamid, status, recipient, provider_at)
);
create index message_statuses_unapplied
    on messaging.message_statuses (organization_id, channel_id, received_at) where not applied;
call messaging.enforce_tenancy('messaging.message_statuses');
