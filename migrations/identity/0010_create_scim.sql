-- Directories that provision people over SCIM 2.0, and what they pushed.

create table identity.scim_directories (
    organization_id uuid not null references identity.organizations (organization_id) on delete cascade,
    id uuid not null,
    name text not null,
    -- The first characters of the token, to recognise it by.
    token_prefix text not null,
    -- SHA-256, as in `api_keys`.
    token_hash bytea not null,
    created_at timestamptz not null,
    -- To the minute.
    last_used_at timestamptz,
    -- Disconnected: the row stays for what the audit log says of it.
    revoked_at timestamptz,
    primary key (organization_id, id),
    constraint scim_directories_token_key unique (organization_id, token_hash)
);
-- Whoever presents a token has not said whose it is.
create index scim_directories_by_token on identity.scim_directories (token_hash);
call identity.enforce_tenancy('identity.scim_directories');

-- People as a directory describes them. `user_id` is the id it knows them by. Whether one is active is the state of the
-- membership and nowhere else; a membership that ends takes the description along.
create table identity.scim_users (
    organization_id uuid not null,
    directory_id uuid not null,
    user_id uuid not null,
    -- The directory's own id; it need not be unique.
    external_id text,
    -- Folded to lower case, as all columns `_key` here: an index on `lower(…)` does not serve behind row level security.
    user_name_key text not null,
    display_name_key text,
    -- The resource in SCIM's JSON, without what we give ourselves.
    attributes jsonb not null,
    -- Raised by each change: the ETag.
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, directory_id, user_id),
    constraint scim_users_directory_fkey foreign key (organization_id, directory_id)
        references identity.scim_directories (organization_id, id) on delete cascade,
    constraint scim_users_member_fkey foreign key (organization_id, user_id)
        references identity.memberships (organization_id, user_id) on delete cascade,
    constraint scim_users_user_name_key unique (organization_id, directory_id, user_name_key)
);
create index scim_users_of_member on identity.scim_users (organization_id, user_id);
create index scim_users_by_external_id on identity.scim_users (organization_id, directory_id, external_id)
    where external_id is not null;
create index scim_users_by_display_name on identity.scim_users (organization_id, directory_id, display_name_key)
    where display_name_key is not null;
call identity.enforce_tenancy('identity.scim_users');

-- The e-mail addresses of `attributes`, for lookups.
create table identity.scim_emails (
    organization_id uuid not null,
    directory_id uuid not null,
    user_id uuid not null,
    value_key text not null,
    -- `work`, `home`, …; empty if the directory did not say.
    kind_key text not null,
    primary key (organization_id, directory_id, value_key, kind_key, user_id),
    constraint scim_emails_user_fkey foreign key (organization_id, directory_id, user_id)
        references identity.scim_users (organization_id, directory_id, user_id) on delete cascade
);
create index scim_emails_of_user on identity.scim_emails (organization_id, directory_id, user_id);
call identity.enforce_tenancy('identity.scim_emails');

create table identity.scim_groups (
    organization_id uuid not null,
    directory_id uuid not null,
    id uuid not null,
    external_id text,
    display_name text not null,
    display_name_key text not null,
    -- What its members are; null while it gives no role. No group makes owners.
    role text check (role in ('admin', 'agent', 'viewer', 'custom')),
    role_id uuid,
    version bigint not null default 1,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, directory_id, id),
    constraint scim_groups_directory_fkey foreign key (organization_id, directory_id)
        references identity.scim_directories (organization_id, id) on delete cascade,
    constraint scim_groups_custom_role check ((role is not null and role = 'custom') = (role_id is not null)),
    constraint scim_groups_role_fkey foreign key (organization_id, role_id)
        references identity.roles (organization_id, id),
    constraint scim_groups_display_name_key unique (organization_id, directory_id, display_name_key)
);
create index scim_groups_by_external_id on identity.scim_groups (organization_id, directory_id, external_id)
    where external_id is not null;
create index scim_groups_of_role on identity.scim_groups (organization_id, role_id) where role_id is not null;
call identity.enforce_tenancy('identity.scim_groups');

create table identity.scim_group_members (
    organization_id uuid not null,
    directory_id uuid not null,
    group_id uuid not null,
    user_id uuid not null,
    primary key (organization_id, directory_id, group_id, user_id),
    constraint scim_group_members_group_fkey foreign key (organization_id, directory_id, group_id)
        references identity.scim_groups (organization_id, directory_id, id) on delete cascade,
    constraint scim_group_members_user_fkey foreign key (organization_id, directory_id, user_id)
        references identity.scim_users (organization_id, directory_id, user_id) on delete cascade
);
create index scim_group_members_of_user on identity.scim_group_members (organization_id, user_id, directory_id);
call identity.enforce_tenancy('identity.scim_group_members');
