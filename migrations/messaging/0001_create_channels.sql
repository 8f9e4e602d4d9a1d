-- WhatsApp numbers of a tenant.
create table messaging.channels (
    organization_id uuid not null,
    id uuid not null,
    name text not null,
    phone_number_id text not null,
    waba_id text not null,
    -- As WhatsApp shows it; webhooks of account-level fields carry its digits only.
    display_phone_number text not null,
    verified_name text not null,
    -- Sealed by `vault`: purpose `whatsapp-token`.
    access_token bytea not null,
    state text not null default 'active' check (state in ('active', 'blocked')),
    state_reason text not null default '',
    -- Meta: 80, 1000 or 20 messages per second.
    throughput_per_second integer not null default 80 check (throughput_per_second > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, id),
    constraint channels_phone_number_id_key unique (organization_id, phone_number_id)
);
call messaging.enforce_tenancy('messaging.channels');

-- Which tenant a number belongs to. Webhooks name a number and no tenant, so this is read before a
-- tenant is known; one number belongs to one tenant, platform-wide.
create table messaging.channel_routes (
    organization_id uuid not null,
    channel_id uuid not null,
    phone_number_id text not null,
    waba_id text not null,
    -- Digits of the display number, for fields that carry no phone number id.
    display_digits text not null,
    primary key (organization_id, channel_id),
    foreign key (organization_id, channel_id) references messaging.channels (organization_id, id) on delete cascade,
    constraint channel_routes_phone_number_id_key unique (phone_number_id)
);
create index channel_routes_by_waba on messaging.channel_routes (waba_id);
call messaging.enforce_tenancy('messaging.channel_routes');

-- What WhatsApp reported about a number besides messages, as it was received.
create table messaging.channel_notices (
    organization_id uuid not null,
    id uuid not null,
    channel_id uuid not null,
    field text not null,
    value jsonb not null,
    -- Meta repeats deliveries: hash of account, field and value.
    dedupe_key text not null,
    received_at timestamptz not null,
    primary key (organization_id, id),
    constraint channel_notices_dedupe_key unique (organization_id, channel_id, dedupe_key),
    foreign key (organization_id, channel_id) references messaging.channels (organization_id, id) on delete cascade
);
create index channel_notices_of_channel on messaging.channel_notices (organization_id, channel_id, id desc);
call messaging.enforce_tenancy('messaging.channel_notices');

-- Webhook content that belongs to no tenant we know, kept until somebody looks.
create table messaging.quarantined_items (
    id uuid primary key,
    reason text not null check (reason in ('malformed', 'unknown_number', 'unknown_account')),
    phone_number_id text,
    dedupe_key text not null,
    raw bytea not null,
    received_at timestamptz not null,
    constraint quarantined_items_dedupe_key unique (dedupe_key)
);
-- It has no tenant, so no tenant may see it.
revoke all on messaging.quarantined_items from messaging_app;
