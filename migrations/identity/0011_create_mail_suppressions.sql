-- Addresses that get no mail: their mail came back for good, or their owner called it spam.

-- The key under which addresses are hashed. One row, for ever: with another key no address would be found again.
create table identity.address_keys (
    id text primary key check (id = 'address'),
    -- 32 bytes, sealed by `vault`: purpose `addresses`, owner the platform.
    secret bytea not null,
    created_at timestamptz not null
);
revoke all on identity.address_keys from identity_app;

-- No tenant: an address is a person's, whoever writes to it. Every column only ever grows, so it does not matter in which
-- order and how often we are told something.
create table identity.mail_suppressions (
    -- HMAC-SHA256 of the address. The table tells nobody's address, and whoever has one finds it.
    address_hash bytea primary key check (length(address_hash) = 32),
    -- The last time mail came back for good, or Resend refused to send.
    bounced_at timestamptz,
    -- The last time the owner called mail spam.
    complained_at timestamptz,
    -- The last time a link that was mailed to the address was used.
    proved_at timestamptz,
    check (num_nonnulls(bounced_at, complained_at, proved_at) > 0)
);
-- For the sweep: complaints stay.
create index mail_suppressions_old on identity.mail_suppressions (greatest(bounced_at, proved_at))
    where complained_at is null;
revoke all on identity.mail_suppressions from identity_app;
