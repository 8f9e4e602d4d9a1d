-- What each consumer has taken in, written in the transaction of the effect. Only consumers use it, and they run as the
-- system role. It is kept longer than anything can be redelivered or replayed.
create table {schema}.inbox (
    consumer text not null,
    event_id uuid not null,
    received_at timestamptz not null,
    primary key (consumer, event_id)
);
-- Rows arrive in time order, so this tiny index is enough for the sweep and costs an insert almost nothing.
create index inbox_received_at on {schema}.inbox using brin (received_at);

revoke all on {schema}.inbox from {schema}_app;
