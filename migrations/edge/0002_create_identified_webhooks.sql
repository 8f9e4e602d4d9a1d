-- Receipts of webhooks whose sender gives each delivery an id and signs it, as Svix does for Resend: a repeat has the
-- same id. Like `edge.webhooks`: not a tenant's table, and the event has the body.
create table edge.identified_webhooks (
    source text not null check (source in ('resend')),
    delivery_id text not null,
    size_bytes integer not null,
    event_id uuid not null,
    received_at timestamptz not null,
    constraint identified_webhooks_pkey primary key (source, delivery_id),
    constraint identified_webhooks_delivery_id check (length(delivery_id) between 1 and 256)
);
create index identified_webhooks_received_at on edge.identified_webhooks using brin (received_at);

revoke all on edge.identified_webhooks from edge_app;
