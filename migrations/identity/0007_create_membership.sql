-- Who belongs to an organization, as what, and how one gets in.

alter table identity.organizations
    add column state text not null default 'active' check (state in ('active', 'suspended', 'deleting')),
    -- Why it is not active, for its people.
    add column state_reason text not null default '',
    -- When a deletion becomes final.
    add column delete_at timestamptz,
    -- IANA name.
    add column time_zone text not null default 'UTC',
    -- BCP 47.
    add column locale text not null default 'en',
    -- From when every member needs a second factor; null while none does.
    add column mfa_required_from timestamptz,
    -- Members of a verified domain may log in through the organization's connection only.
    add column sso_required boolean not null default false,
    -- Raised by each change: an editor that read an older one is told so.
    add column version bigint not null default 1,
    add constraint organizations_deleting check ((state = 'deleting') = (delete_at is not null));

-- Roles that an organization made up. Their permissions are some of an admin's.
create table identity.roles (
    organization_id uuid not null references identity.organizations (organization_id) on delete cascade,
    id uuid not null,
    name text not null,
    permissions text[] not null,
    -- Which conversations: those assigned to the member, those of its teams too, or all.
    conversations text not null check (conversations in ('own', 'team', 'all')),
    -- Phone numbers and addresses of contacts are masked.
    hides_contact_details boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, id)
);
create unique index roles_name_key on identity.roles (organization_id, lower(name));
call identity.enforce_tenancy('identity.roles');

alter table identity.memberships
    drop constraint memberships_role_check,
    add constraint memberships_role_check check (role in ('owner', 'admin', 'agent', 'viewer', 'custom')),
    add column role_id uuid,
    add constraint memberships_custom_role check ((role = 'custom') = (role_id is not null)),
    add constraint memberships_role_fkey foreign key (organization_id, role_id)
        references identity.roles (organization_id, id),
    add column state text not null default 'active' check (state in ('active', 'deactivated')),
    -- `signup`, `invitation`, `oidc`, `saml` or `scim`.
    add column joined_by text not null default 'signup',
    -- Until then the member may do without a second factor.
    add column mfa_grace_until timestamptz;
create index memberships_of_role on identity.memberships (organization_id, role_id) where role_id is not null;

create table identity.teams (
    organization_id uuid not null references identity.organizations (organization_id) on delete cascade,
    id uuid not null,
    name text not null,
    created_at timestamptz not null,
    primary key (organization_id, id)
);
create unique index teams_name_key on identity.teams (organization_id, lower(name));
call identity.enforce_tenancy('identity.teams');

create table identity.team_members (
    organization_id uuid not null,
    team_id uuid not null,
    user_id uuid not null,
    primary key (organization_id, team_id, user_id),
    constraint team_members_team_fkey foreign key (organization_id, team_id)
        references identity.teams (organization_id, id) on delete cascade,
    constraint team_members_member_fkey foreign key (organization_id, user_id)
        references identity.memberships (organization_id, user_id) on delete cascade
);
create index team_members_of_user on identity.team_members (organization_id, user_id);
call identity.enforce_tenancy('identity.team_members');

-- The secret in the link is a MAC over the id, as in `email_links`.
create table identity.invitations (
    organization_id uuid not null references identity.organizations (organization_id) on delete cascade,
    id uuid not null,
    email text not null,
    email_key text not null,
    role text not null check (role in ('owner', 'admin', 'agent', 'viewer', 'custom')),
    role_id uuid,
    -- An invitation that has expired is still `pending` here; time tells.
    state text not null default 'pending' check (state in ('pending', 'accepted', 'revoked')),
    invited_by uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    sent_at timestamptz not null,
    closed_at timestamptz,
    accepted_by uuid,
    primary key (organization_id, id),
    constraint invitations_custom_role check ((role = 'custom') = (role_id is not null)),
    constraint invitations_role_fkey foreign key (organization_id, role_id)
        references identity.roles (organization_id, id),
    constraint invitations_closed check ((state = 'pending') = (closed_at is null)),
    constraint invitations_accepted check ((state = 'accepted') = (accepted_by is not null))
);
create unique index invitations_pending_key on identity.invitations (organization_id, email_key) where state = 'pending';
-- For the sweep: addresses are not kept for ever.
create index invitations_ended_at on identity.invitations (coalesce(closed_at, expires_at));
call identity.enforce_tenancy('identity.invitations');

alter table identity.api_keys
    drop constraint api_keys_role_check,
    add constraint api_keys_role_check check (role in ('owner', 'admin', 'agent', 'viewer')),
    -- Networks the key may be used from; empty for all.
    add column networks cidr[] not null default '{}',
    -- The key that takes this one's place; both work until this one ends.
    add column replaced_by uuid;
