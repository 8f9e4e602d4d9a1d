-- Answers of calls that must not happen twice. The row is inserted at the start of the call's transaction, so a
-- concurrent duplicate waits for it, and carries the answer by the time it is visible.
create table {schema}.idempotency_keys (
    -- The nil uuid for operations that have no tenant yet, such as sign-up.
    organization_id uuid not null,
    operation text not null,
    key text not null,
    request_hash bytea not null,
    response bytea,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (organization_id, operation, key)
);
create index idempotency_keys_expires_at on {schema}.idempotency_keys (expires_at);

call {schema}.enforce_tenancy('{schema}.idempotency_keys');
