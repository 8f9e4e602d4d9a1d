-- Events that a consumer could not process: retried here by a ladder of delays, because the broker's redelivery loses
-- order, can't wait and discards what it counts too often. At the end of the ladder the row is a dead letter.
create table {schema}.deferred_deliveries (
    id uuid primary key,
    consumer text not null,
    event_id uuid not null,
    organization_id uuid,
    event_type text not null,
    payload bytea not null,
    headers jsonb not null,
    -- Times the event was handed to the consumer.
    attempts int not null,
    due_at timestamptz not null,
    state text not null,
    last_error text not null,
    first_failed_at timestamptz not null,
    -- Who replayed or discarded a dead letter, why and when.
    decided_by text,
    decided_reason text,
    decided_at timestamptz,
    unique (consumer, event_id),
    constraint deferred_deliveries_state check (state in ('waiting', 'dead', 'replayed', 'discarded')),
    constraint deferred_deliveries_decided check ((decided_at is null) = (decided_by is null))
);
create index deferred_deliveries_due on {schema}.deferred_deliveries (consumer, due_at) where state = 'waiting';
create index deferred_deliveries_listed on {schema}.deferred_deliveries (state, first_failed_at, id);
create index deferred_deliveries_tenant on {schema}.deferred_deliveries (organization_id, first_failed_at);

call {schema}.enforce_tenancy('{schema}.deferred_deliveries');
-- Consumers and operators only; neither works as a tenant.
revoke all on {schema}.deferred_deliveries from {schema}_app;
