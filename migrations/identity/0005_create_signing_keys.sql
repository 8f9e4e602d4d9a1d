-- Keys that sign access tokens (Ed25519) and refresh tokens (HMAC), for all tenants.
create table identity.signing_keys (
    -- For access tokens the `kid`: the thumbprint of the public key.
    id text primary key,
    signs text not null check (signs in ('access_tokens', 'refresh_tokens')),
    -- 32 bytes, sealed by `vault`: purpose `signing-keys`, owner the platform.
    secret bytea not null,
    created_at timestamptz not null,
    -- It signs from here; it verifies from its creation, so that every replica and every cached JWKS knows it in time.
    active_at timestamptz not null,
    -- Nothing it signed is valid after this; null while no successor exists.
    retired_at timestamptz
);
revoke all on identity.signing_keys from identity_app;
