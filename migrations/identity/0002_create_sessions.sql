-- Logins of people. No refresh token is stored, hashed or not: a token is the session's id, a generation and a MAC over
-- both (`domain::refresh_token`), so the row says which generation is good and the same successor can be answered twice.
create table identity.sessions (
    organization_id uuid not null,
    id uuid not null,
    user_id uuid not null,
    -- Of the refresh token that has not been used yet.
    generation integer not null default 0 check (generation >= 0),
    -- When the generations before it were used, the newest last; only as far back as a repetition is forgiven.
    used_at timestamptz[] not null default '{}',
    created_at timestamptz not null,
    refreshed_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_reason text check (end_reason in ('logged_out', 'refresh_reused')),
    primary key (organization_id, id),
    constraint sessions_membership_fkey foreign key (organization_id, user_id)
        references identity.memberships (organization_id, user_id) on delete cascade,
    constraint sessions_ended check ((ended_at is null) = (end_reason is null))
) with (fillfactor = 80);
create index sessions_of_user on identity.sessions (organization_id, user_id);
-- For the sweep.
create index sessions_expires_at on identity.sessions (expires_at);
call identity.enforce_tenancy('identity.sessions');
