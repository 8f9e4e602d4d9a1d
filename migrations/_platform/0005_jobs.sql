-- Deferred work. A worker leases a row, works outside any transaction, and finishes it in a second transaction that
-- succeeds only while the lease is still its own.
create table {schema}.jobs (
    id uuid primary key,
    kind text not null,
    -- Null for the platform's own work.
    organization_id uuid,
    payload jsonb not null,
    -- At most one equal job waits and at most one runs. One may wait while one runs: what made it necessary may have
    -- happened after the running one looked.
    unique_key text,
    due_at timestamptz not null,
    state text not null default 'waiting',
    leased_by text,
    lease_until timestamptz,
    -- Counted when the lease is taken, so a job that kills its worker is counted too. With `leased_by` it identifies
    -- one lease: the same worker may take the row again after its first lease ran out.
    attempts int not null default 0,
    max_attempts int not null,
    last_error text,
    created_at timestamptz not null,
    finished_at timestamptz,
    claimable_at timestamptz generated always as
        (case state when 'waiting' then due_at when 'running' then lease_until end) stored,
    constraint jobs_state check (state in ('waiting', 'running', 'done', 'failed')),
    constraint jobs_lease check ((state = 'running') = (leased_by is not null and lease_until is not null)),
    constraint jobs_finished check ((state in ('done', 'failed')) = (finished_at is not null))
) with (autovacuum_vacuum_scale_factor = 0.02);

create index jobs_claimable on {schema}.jobs (kind, claimable_at) where claimable_at is not null;
create unique index jobs_unique on {schema}.jobs (organization_id, kind, unique_key) nulls not distinct
    where state = 'waiting' and unique_key is not null;
create index jobs_running on {schema}.jobs (kind, unique_key)
    where state = 'running' and unique_key is not null;
create index jobs_finished_at on {schema}.jobs (finished_at) where finished_at is not null;

call {schema}.enforce_tenancy('{schema}.jobs');
