-- Which installation this is: a random name, made once with the database. It is also written into the store of files,
-- so that a service whose database and store do not belong together deletes nothing there.
create table messaging.installation (
    singleton boolean primary key default true check (singleton),
    id uuid not null default gen_random_uuid()
);
insert into messaging.installation default values;
-- It has no tenant, so no tenant may see it.
revoke all on messaging.installation from messaging_app;

-- Files of the store that no row named when somebody looked. One is deleted when a day later still none does, and
-- whoever comes to name it before takes it out of here.
create table messaging.doomed_files (
    organization_id uuid not null,
    sha256 bytea not null check (length(sha256) = 32),
    doomed_at timestamptz not null,
    -- Since then the store may be deleting it: nobody may keep the same bytes until it is known that this is over.
    deleting_since timestamptz,
    primary key (organization_id, sha256)
);
create index doomed_files_by_age on messaging.doomed_files (doomed_at);
call messaging.enforce_tenancy('messaging.doomed_files');

-- Files of a number that are fetched take turns among tenants: found tenant by tenant, and how many each has under way.
create index jobs_of_tenants on messaging.jobs (kind, organization_id, claimable_at) where claimable_at is not null;
create index jobs_under_way on messaging.jobs (kind, organization_id) where state = 'running';

-- How a number is doing: what WhatsApp says of it, its account and its token, by asking and by webhook. Words are
-- WhatsApp's own in lower case; empty is not known.
create table messaging.channel_health (
    organization_id uuid not null,
    channel_id uuid not null,
    number_status text not null default '',
    quality_rating text not null default '',
    messaging_limit text not null default '',
    throughput_level text not null default '',
    name_status text not null default '',
    name_reason text not null default '',
    code_verification text not null default '',
    account_review text not null default '',
    ban_state text not null default '',
    -- For people: `April 17, 2025`.
    ban_date text not null default '',
    restrictions jsonb not null default '[]',
    can_send text not null default '',
    obstacles jsonb not null default '[]',
    token_state text not null default 'unknown' check (token_state in ('unknown', 'valid', 'refused', 'no_access')),
    token_expires_at timestamptz,
    token_missing text[] not null default '{}',
    webhook_state text not null default 'unknown' check (webhook_state in ('unknown', 'subscribed', 'missing')),
    webhook_host text not null default '',
    -- Somebody asked for the number's two-step PIN to be reset.
    pin_reset_at timestamptz,
    -- When WhatsApp last answered, when it was last asked, and since when it does not answer and why.
    checked_at timestamptz,
    tried_at timestamptz,
    failure text not null default '' check (failure in ('', 'unreachable', 'rate_limited', 'refused')),
    failure_hint text not null default '',
    failing_since timestamptz,
    -- What a webhook last told: an older one changes nothing, and an answer that was asked for before is asked for again.
    told_at timestamptz,
    -- The codes that were last told of, the worst first.
    diagnosis text[] not null default '{}',
    primary key (organization_id, channel_id),
    constraint channel_health_channel_fkey foreign key (organization_id, channel_id)
        references messaging.channels (organization_id, id) on delete cascade,
    constraint channel_health_failing check ((failure = '') = (failing_since is null))
);
call messaging.enforce_tenancy('messaging.channel_health');
