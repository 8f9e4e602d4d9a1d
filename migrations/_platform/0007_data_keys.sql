-- Data keys with which `vault` encrypts secrets, one or a few per organization and purpose, each encrypted by the key
-- provider: the table alone opens nothing. Destroying an organization's keys makes its secrets unreadable for ever, in
-- backups too once those that still have the keys are gone.
create table {schema}.data_keys (
    -- The nil uuid for the platform's own.
    organization_id uuid not null,
    purpose text not null,
    id uuid not null,
    -- Null once destroyed.
    wrapped bytea,
    created_at timestamptz not null,
    destroyed_at timestamptz,
    primary key (organization_id, purpose, id),
    constraint data_keys_destroyed check ((wrapped is null) = (destroyed_at is not null))
);

call {schema}.enforce_tenancy('{schema}.data_keys');
-- Nothing that serves a request destroys keys.
revoke update, delete on {schema}.data_keys from {schema}_app;
