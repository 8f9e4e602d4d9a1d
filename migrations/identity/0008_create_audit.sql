-- What was changed, by whom, from where: append-only, and each entry carries the hash of the one before, so that a
-- removed or altered entry shows.

-- The end of each organization's chain; locked while an entry is added.
create table identity.audit_heads (
    organization_id uuid primary key references identity.organizations (organization_id) on delete cascade,
    seq bigint not null,
    hash bytea not null
);
call identity.enforce_tenancy('identity.audit_heads');

create table identity.audit_entries (
    organization_id uuid not null references identity.organizations (organization_id) on delete cascade,
    -- 1, 2, 3, … without a gap.
    seq bigint not null,
    id uuid not null,
    occurred_at timestamptz not null,
    -- `usr_…`, `key_…`, a service, or `system:…`.
    actor text not null,
    -- `session.started`, `member.role_changed`, …
    action text not null,
    -- The id of what was changed.
    target text not null,
    -- Its fields before and after; never a secret.
    before jsonb,
    after jsonb,
    address text not null,
    user_agent text not null,
    -- The event by which another service told; a repeated one adds nothing.
    event_id uuid,
    previous_hash bytea not null,
    hash bytea not null,
    primary key (organization_id, seq),
    constraint audit_entries_id_key unique (organization_id, id),
    constraint audit_entries_event_key unique (organization_id, event_id)
);
create index audit_entries_by_actor on identity.audit_entries (organization_id, actor, seq);
create index audit_entries_by_action on identity.audit_entries (organization_id, action, seq);
create index audit_entries_by_target on identity.audit_entries (organization_id, target, seq);
create index audit_entries_by_time on identity.audit_entries (organization_id, occurred_at);
call identity.enforce_tenancy('identity.audit_entries');
-- Only the end of an organization removes entries, by cascade.
revoke update, delete on identity.audit_entries from identity_app, identity_system;
