-- Tenants.
create table identity.organizations (
    organization_id uuid primary key,
    name text not null,
    created_at timestamptz not null
);
call identity.enforce_tenancy('identity.organizations');

-- People. One may belong to several organizations, so these rows have no tenant and only the system role sees them.
create table identity.users (
    id uuid primary key,
    -- As the person wrote it.
    email text not null,
    -- What makes it one person's: see `domain::email`.
    email_key text not null,
    name text not null,
    created_at timestamptz not null,
    constraint users_email_key unique (email_key)
);
revoke all on identity.users from identity_app;

-- Apart from users: whoever reads a person's name does not carry the hash around, and people of a single sign-on have
-- none.
create table identity.passwords (
    user_id uuid primary key references identity.users (id) on delete cascade,
    -- argon2id with its parameters and salt, as a PHC string.
    hash text not null,
    changed_at timestamptz not null
);
revoke all on identity.passwords from identity_app;

create table identity.memberships (
    organization_id uuid not null references identity.organizations (organization_id) on delete cascade,
    user_id uuid not null references identity.users (id) on delete cascade,
    role text not null check (role in ('owner', 'admin', 'agent', 'viewer')),
    created_at timestamptz not null,
    primary key (organization_id, user_id)
);
-- A login knows the person and not yet the tenant.
create index memberships_of_user on identity.memberships (user_id, created_at, organization_id);
call identity.enforce_tenancy('identity.memberships');
