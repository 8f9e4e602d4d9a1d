-- Our own services and operators' programs, for OAuth 2 client credentials. They belong to no tenant.
create table identity.service_clients (
    name text primary key,
    -- SHA-256: a secret is random and has 32 characters at least.
    secret_hash bytea not null,
    created_at timestamptz not null,
    changed_at timestamptz not null
);
revoke all on identity.service_clients from identity_app;
