-- The thread between one contact and one channel.
create table messaging.conversations (
    organization_id uuid not null,
    id uuid not null,
    channel_id uuid not null,
    contact_id uuid not null,
    status text not null default 'open' check (status in ('open', 'resolved')),
    -- Inbound messages since the last outbound one.
    unanswered_count integer not null default 0,
    preview text not null default '',
    last_message_at timestamptz not null,
    -- Opens the 24-hour window (Meta: customer service window).
    last_inbound_at timestamptz,
    created_at timestamptz not null,
    primary key (organization_id, id),
    constraint conversations_parties_key unique (organization_id, channel_id, contact_id),
    foreign key (organization_id, channel_id) references messaging.channels (organization_id, id),
    foreign key (organization_id, contact_id) references messaging.contacts (organization_id, id)
);
create index conversations_by_activity
    on messaging.conversations (organization_id, last_message_at desc, id desc);
create index conversations_by_status
    on messaging.conversations (organization_id, status, last_message_at desc, id desc);
create index conversations_of_contact on messaging.conversations (organization_id, contact_id);
call messaging.enforce_tenancy('messaging.conversations');
