-- What a login needs besides a password: a proven address, a second factor, brakes, and what ends it at once.

alter table identity.users
    -- When the person proved to read the address; null until then.
    add column email_verified_at timestamptz;
-- Until now an address was believed as it was given, and its owner has worked with the account since.
update identity.users set email_verified_at = created_at;

-- Links sent by e-mail. The secret in a link is the id and a MAC over it under a key of its own use (`domain::link`), so
-- this table opens nothing.
create table identity.email_links (
    id uuid primary key,
    user_id uuid not null references identity.users (id) on delete cascade,
    purpose text not null check (purpose in ('reset_password', 'verify_email')),
    -- The address it was sent to: good only while the person still has it.
    email_key text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    -- Used, or replaced by a newer one.
    closed_at timestamptz
);
create index email_links_of_user on identity.email_links (user_id, purpose);
create index email_links_expires_at on identity.email_links (expires_at);
revoke all on identity.email_links from identity_app;

-- Addresses that people had before a directory changed them: the letter about the change goes there.
create table identity.former_addresses (
    user_id uuid not null references identity.users (id) on delete cascade,
    changed_at timestamptz not null,
    email text not null,
    primary key (user_id, changed_at)
);
create index former_addresses_changed_at on identity.former_addresses (changed_at);
revoke all on identity.former_addresses from identity_app;

-- Wrong guesses. A key is a hash of what is guarded: an account, a known device of an account, a network address.
create table identity.throttles (
    key bytea primary key,
    failures integer not null check (failures > 0),
    failed_at timestamptz not null,
    blocked_until timestamptz
);
create index throttles_failed_at on identity.throttles (failed_at);
revoke all on identity.throttles from identity_app;

-- Authenticator apps (RFC 6238). One for each person.
create table identity.totp_factors (
    user_id uuid primary key references identity.users (id) on delete cascade,
    -- Sealed by `vault`: purpose `totp`, owner the platform.
    secret bytea not null,
    created_at timestamptz not null,
    -- Null until the first code was entered.
    confirmed_at timestamptz,
    -- Time step of the last accepted code: a code counts once (NIST 800-63B).
    last_step bigint
);
revoke all on identity.totp_factors from identity_app;

-- For whoever lost the app. Hashed under a key that is sealed elsewhere, so a copy of the table can't be searched.
create table identity.recovery_codes (
    user_id uuid not null references identity.users (id) on delete cascade,
    number smallint not null,
    hash bytea not null,
    used_at timestamptz,
    primary key (user_id, number)
);
revoke all on identity.recovery_codes from identity_app;

alter table identity.sessions
    -- What the person is shown to recognise a login by.
    add column user_agent text not null default '',
    add column address text not null default '',
    -- How the person was recognised: `password`, `totp`, `recovery_code`, `oidc`, `saml`.
    add column methods text[] not null default '{}',
    -- The last time it was: a sensitive change wants it to be a moment ago.
    add column authenticated_at timestamptz not null default 'epoch',
    -- The single sign-on connection it came through.
    add column connection_id uuid;
alter table identity.sessions
    drop constraint sessions_end_reason_check,
    add constraint sessions_end_reason_check check (end_reason in (
        'logged_out', 'refresh_reused', 'revoked', 'password_changed', 'factors_changed', 'member_deactivated',
        'member_removed', 'organization_suspended', 'connection_deleted', 'account_claimed'));

-- Tokens that must not be accepted any more although they have not expired. Verifiers ask for what is new, so a row is
-- of use for as long as an access token lives.
create table identity.revocations (
    organization_id uuid not null,
    kind text not null check (kind in ('session', 'member', 'api_key', 'organization')),
    subject uuid not null,
    -- Tokens issued until then are void.
    issued_until timestamptz not null,
    recorded_at timestamptz not null,
    primary key (organization_id, kind, subject)
);
create index revocations_recorded_at on identity.revocations (recorded_at);
call identity.enforce_tenancy('identity.revocations');
