-- Login through an organization's own identity provider, over OpenID Connect or SAML 2.0.

create table identity.sso_connections (
    organization_id uuid not null references identity.organizations (organization_id) on delete cascade,
    id uuid not null,
    kind text not null check (kind in ('oidc', 'saml')),
    name text not null,
    enabled boolean not null,
    -- OpenID Connect: issuer, client id, kind of provider, scopes, tenants. SAML: whether the provider may begin a login.
    settings jsonb not null,
    -- The client secret, sealed by `vault`: purpose `sso`. Null without one.
    secret bytea,
    -- SAML: the provider's metadata as it was given, and where newer ones come from.
    idp_metadata text,
    idp_metadata_url text,
    -- When the last certificate of the metadata ends.
    certificates_end_at timestamptz,
    metadata_checked_at timestamptz,
    -- Why the last look at the metadata address failed; empty when it did not.
    metadata_problem text not null default '',
    -- People who come for the first time become members.
    provisions boolean not null,
    -- As what, unless a mapping says more.
    default_role text not null check (default_role in ('admin', 'agent', 'viewer')),
    -- Groups of the provider and the role they give, the first that fits: [{"group": …, "role": …, "role_id": …}]
    role_mappings jsonb not null default '[]',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version bigint not null default 1,
    primary key (organization_id, id),
    constraint sso_connections_saml check ((kind = 'saml') = (idp_metadata is not null))
);
-- Whoever comes back from a provider names the connection and not the tenant.
create index sso_connections_by_id on identity.sso_connections (id);
call identity.enforce_tenancy('identity.sso_connections');

-- E-mail domains that an organization proved to own by a DNS record. A verified one belongs to one organization.
create table identity.sso_domains (
    organization_id uuid not null references identity.organizations (organization_id) on delete cascade,
    domain text not null,
    -- Where people of the domain log in; null while that is not decided.
    connection_id uuid,
    -- The value of the DNS record.
    challenge text not null,
    created_at timestamptz not null,
    verified_at timestamptz,
    checked_at timestamptz,
    primary key (organization_id, domain),
    constraint sso_domains_connection_fkey foreign key (organization_id, connection_id)
        references identity.sso_connections (organization_id, id)
);
-- Members who must log in through their organization's provider are recognised by their domain.
create index sso_domains_of_connection on identity.sso_domains (organization_id, connection_id)
    where connection_id is not null;
create unique index sso_domains_verified_key on identity.sso_domains (domain) where verified_at is not null;
call identity.enforce_tenancy('identity.sso_domains');

-- Who somebody at a provider is with us. The key is the provider's subject, never an e-mail address (ASVS 6.8.1).
create table identity.sso_identities (
    organization_id uuid not null,
    connection_id uuid not null,
    subject text not null,
    user_id uuid not null,
    -- The role that the groups gave at the last login; null while they gave none.
    given_role text check (given_role in ('admin', 'agent', 'viewer', 'custom')),
    given_role_id uuid,
    created_at timestamptz not null,
    last_login_at timestamptz not null,
    primary key (organization_id, connection_id, subject),
    constraint sso_identities_custom_role check ((given_role is not null and given_role = 'custom') = (given_role_id is not null)),
    constraint sso_identities_connection_fkey foreign key (organization_id, connection_id)
        references identity.sso_connections (organization_id, id) on delete cascade,
    constraint sso_identities_member_fkey foreign key (organization_id, user_id)
        references identity.memberships (organization_id, user_id) on delete cascade
);
create index sso_identities_of_user on identity.sso_identities (organization_id, user_id);
call identity.enforce_tenancy('identity.sso_identities');

-- Logins that went to a provider and have not come back.
create table identity.sso_flows (
    organization_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    -- What the answer is checked against, sealed by `vault`: purpose `sso-flow`.
    pending bytea not null,
    -- Hash of the secret in the browser that began it: nobody else may end it.
    browser_hash bytea not null,
    -- A path of our own application.
    return_to text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (organization_id, id),
    constraint sso_flows_connection_fkey foreign key (organization_id, connection_id)
        references identity.sso_connections (organization_id, id) on delete cascade
);
create index sso_flows_expires_at on identity.sso_flows (expires_at);
call identity.enforce_tenancy('identity.sso_flows');

-- SAML assertions that were accepted: each counts once.
create table identity.sso_assertions (
    organization_id uuid not null,
    connection_id uuid not null,
    assertion_id text not null,
    expires_at timestamptz not null,
    primary key (organization_id, connection_id, assertion_id),
    constraint sso_assertions_connection_fkey foreign key (organization_id, connection_id)
        references identity.sso_connections (organization_id, id) on delete cascade
);
create index sso_assertions_expires_at on identity.sso_assertions (expires_at);
call identity.enforce_tenancy('identity.sso_assertions');

-- How logins ended, for the administrator who asks why one failed. Kept for 30 days.
create table identity.sso_traces (
    organization_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    occurred_at timestamptz not null,
    succeeded boolean not null,
    -- A stable word, `assertion_expired`, and a sentence.
    reason text not null,
    detail text not null,
    primary key (organization_id, id),
    constraint sso_traces_connection_fkey foreign key (organization_id, connection_id)
        references identity.sso_connections (organization_id, id) on delete cascade
);
create index sso_traces_of_connection on identity.sso_traces (organization_id, connection_id, id);
create index sso_traces_occurred_at on identity.sso_traces (occurred_at);
call identity.enforce_tenancy('identity.sso_traces');

-- When a connection is deleted, the sessions that came through it end.
create index sessions_of_connection on identity.sessions (organization_id, connection_id) where connection_id is not null;
