-- Keys of tenants' programs.
create table identity.api_keys (
    organization_id uuid not null references identity.organizations (organization_id) on delete cascade,
    id uuid not null,
    name text not null,
    -- The first characters of the key, to recognise it by.
    prefix text not null,
    -- SHA-256: a key has 256 random bits, which no fast hash makes guessable.
    secret_hash bytea not null,
    role text not null check (role in ('owner', 'admin', 'agent', 'viewer')),
    -- Permissions that narrow the role; empty for all of it.
    scopes text[] not null,
    created_by text not null,
    created_at timestamptz not null,
    -- To the minute.
    last_used_at timestamptz,
    revoked_at timestamptz,
    expires_at timestamptz,
    primary key (organization_id, id),
    constraint api_keys_secret_hash_key unique (organization_id, secret_hash)
);
-- Whoever presents a key has not said whose it is.
create index api_keys_by_secret on identity.api_keys (secret_hash);
call identity.enforce_tenancy('identity.api_keys');
