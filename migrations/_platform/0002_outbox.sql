-- Events, written in the transaction of the change they tell of, and published afterwards. The rows stay for some days:
-- they are also the feed that a client resumes and the source of a replay.
create table {schema}.outbox (
    -- Taken before the commit, so a later number can become visible first: never read by "greater than the last seen".
    seq bigint generated always as identity primary key,
    -- Not an index: nothing looks for it here, and consumers are where an event counts once.
    event_id uuid not null,
    -- Null for what belongs to the platform, such as a webhook whose tenant is not known yet.
    organization_id uuid,
    event_type text not null,
    routing_key text not null,
    -- The aggregate. Events of one key are published in order; empty means that order does not matter.
    key text not null,
    payload bytea not null,
    headers jsonb not null,
    occurred_at timestamptz not null,
    -- The transaction that wrote the row. All transactions below the oldest running one have ended, so what is below it
    -- in (commit_xid, seq) order is final. A restore by dump into a new cluster starts these numbers again: empty the
    -- outbox there (clients then start their feeds afresh).
    commit_xid bigint not null default (pg_current_xact_id()::text::bigint),
    published_at timestamptz,
    attempts int not null default 0,
    -- After a refused publish: not again before.
    not_before timestamptz,
    last_error text
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);

create index outbox_unpublished on {schema}.outbox (seq) where published_at is null;
create index outbox_blocked on {schema}.outbox (key, seq) where published_at is null and not_before is not null;
-- A feed is an organization's. Events of the platform, such as webhooks taken in, are many and in no feed.
create index outbox_feed on {schema}.outbox (organization_id, commit_xid, seq) where organization_id is not null;

call {schema}.enforce_tenancy('{schema}.outbox');
revoke all on {schema}.outbox from {schema}_app;
grant select on {schema}.outbox to {schema}_app;
-- Column by column: nobody writes `commit_xid`.
grant insert (event_id, organization_id, event_type, routing_key, key, payload, headers, occurred_at)
    on {schema}.outbox to {schema}_app;

-- How far the retention has swept: a cursor behind it has lost events, and is told so.
create table {schema}.outbox_floor (
    singleton boolean primary key default true check (singleton),
    commit_xid bigint not null
);
insert into {schema}.outbox_floor (commit_xid) values (0);
revoke all on {schema}.outbox_floor from {schema}_app;
grant select on {schema}.outbox_floor to {schema}_app;
