-- One row per provider webhook that was accepted. The body is in the outbox, once: `event_id` leads there.
--
-- Not a tenant's table: nobody has looked into the body yet, so there is no tenant. Requests have no business here
-- either; intake, relay and sweeps work as the system role.
create table edge.webhooks (
    -- The name in the callback address.
    app text not null,
    -- Meta signs no time and no delivery id, so the body's hash is the only guard against repeats. Rows are kept for
    -- 14 days, twice as long as Meta repeats a delivery.
    body_sha256 bytea not null,
    size_bytes integer not null,
    event_id uuid not null,
    received_at timestamptz not null,
    -- Nobody looks a receipt up by anything else, and each further index would cost every delivery.
    constraint webhooks_pkey primary key (app, body_sha256),
    constraint webhooks_body_sha256 check (length(body_sha256) = 32)
);
-- Rows arrive in time order, so this tiny index is enough for the sweep and costs an insert almost nothing.
create index webhooks_received_at on edge.webhooks using brin (received_at);

revoke all on edge.webhooks from edge_app;
