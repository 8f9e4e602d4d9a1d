-- Files of messages. The bytes are in the object store under the organization and their hash, once however often they
-- were sent; what is here says which files there are and what they are.
create table messaging.media (
    organization_id uuid not null,
    id uuid not null,
    -- inbound: fetched from WhatsApp; outbound: uploaded by the organization.
    direction text not null check (direction in ('inbound', 'outbound')),
    -- Whose channel and message it came with.
    channel_id uuid,
    message_id uuid,
    kind text not null check (kind in ('image', 'video', 'audio', 'document', 'sticker')),
    state text not null check (state in ('pending', 'ready', 'failed')),
    problem text not null default ''
        check (problem in ('', 'gone', 'too_large', 'type_refused', 'unreachable', 'abandoned')),
    -- WhatsApp's id of received media; it lives seven days.
    provider_id text,
    provider_id_expires_at timestamptz,
    -- As the sender says.
    claimed_mime_type text not null default '',
    claimed_sha256 bytea check (length(claimed_sha256) = 32),
    filename text not null default '',
    -- As found in the bytes. The hash is written before the bytes are kept, so a file in the store without a row is
    -- nobody's.
    mime_type text not null default '',
    size_bytes bigint,
    sha256 bytea check (length(sha256) = 32),
    thumbnail_sha256 bytea check (length(thumbnail_sha256) = 32),
    width integer,
    height integer,
    created_at timestamptz not null,
    ready_at timestamptz,
    primary key (organization_id, id),
    constraint media_inbound check (direction = 'outbound' or (channel_id is not null and message_id is not null)),
    constraint media_ready check (state <> 'ready' or (sha256 is not null and size_bytes is not null
        and mime_type <> '' and ready_at is not null)),
    constraint media_failed check ((state = 'failed') = (problem <> ''))
);
create index media_of_message on messaging.media (organization_id, message_id) where message_id is not null;
create index media_by_hash on messaging.media (organization_id, sha256) where sha256 is not null;
create index media_by_thumbnail on messaging.media (organization_id, thumbnail_sha256)
    where thumbnail_sha256 is not null;
create index media_pending on messaging.media (created_at) where state = 'pending';
call messaging.enforce_tenancy('messaging.media');

-- The ids that WhatsApp gave to bytes of ours, per number: the same bytes are uploaded once in 30 days.
create table messaging.media_uploads (
    organization_id uuid not null,
    channel_id uuid not null,
    sha256 bytea not null check (length(sha256) = 32),
    -- WhatsApp compares it with the message it is used in: the same bytes may be an image and a document.
    mime_type text not null,
    provider_id text not null,
    uploaded_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (organization_id, channel_id, sha256, mime_type),
    constraint media_uploads_channel_fkey foreign key (organization_id, channel_id)
        references messaging.channels (organization_id, id) on delete cascade
);
call messaging.enforce_tenancy('messaging.media_uploads');
