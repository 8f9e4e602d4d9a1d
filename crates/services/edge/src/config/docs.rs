//! What each key means, for `edge config schema`.

use chassis::config::Docs;

type Rows = &'static [(&'static str, &'static str, &'static str)];

const DB: Rows = &[
    (
        "url",
        "",
        "postgres:// URL of the role edge_app, for probes.",
    ),
    (
        "system_url",
        "",
        "postgres:// URL of the role edge_system, for intake, relay and sweeps.",
    ),
    (
        "migrate_url",
        "",
        "postgres:// URL that `migrate` uses: a role that may create roles and schemas.",
    ),
    ("max_connections", "10", "Connections of the app role."),
    (
        "system_max_connections",
        "8",
        "Connections of the system role: one for each writer, and two.",
    ),
    (
        "acquire_timeout_ms",
        "3000",
        "Longest wait for a connection and for a commit.",
    ),
    (
        "statement_timeout_ms",
        "10000",
        "Longest run of one statement.",
    ),
    ("lock_timeout_ms", "5000", "Longest wait for one lock."),
    (
        "idle_in_transaction_timeout_ms",
        "15000",
        "The server ends a transaction that is idle for so long.",
    ),
];

const BUS: Rows = &[
    (
        "url",
        "",
        "amqp:// or amqps:// URL with user, password and vhost.",
    ),
    (
        "prefetch",
        "300",
        "Unacknowledged deliveries of a consumer; the edge has none.",
    ),
    (
        "batch_max",
        "100",
        "Deliveries in one transaction of a consumer; the edge has none.",
    ),
    (
        "batch_linger_ms",
        "3",
        "How long a consumer's batch waits for company; the edge has none.",
    ),
    (
        "confirm_window",
        "500",
        "Published events whose confirm is outstanding.",
    ),
    (
        "confirm_window_bytes",
        "16777216",
        "The same bound in bytes.",
    ),
    (
        "confirm_timeout_ms",
        "10000",
        "After this an event without a confirm is published again.",
    ),
    (
        "connect_timeout_ms",
        "5000",
        "Longest time for connecting, TLS and login included.",
    ),
    (
        "request_timeout_ms",
        "10000",
        "Longest time for one request to the broker.",
    ),
    (
        "heartbeat_s",
        "10",
        "A broker silent for twice as long is taken for dead.",
    ),
    (
        "reconnect_min_ms",
        "200",
        "First pause before reconnecting.",
    ),
    (
        "reconnect_max_ms",
        "5000",
        "Longest pause before reconnecting.",
    ),
    (
        "handler_timeout_ms",
        "10000",
        "Longest time for a consumer's batch; the edge has none.",
    ),
    (
        "topology_check_s",
        "30",
        "How often a consuming service declares its queues again; the edge has none.",
    ),
];

const INTAKE: Rows = &[
    (
        "body_timeout_ms",
        "10000",
        "How long a body may take to arrive.",
    ),
    (
        "min_bytes_per_second",
        "4096",
        "A body slower than this, after its first two seconds, is given up.",
    ),
    (
        "max_unverified",
        "1024",
        "Requests at once whose signature is not verified yet; 503 beyond.",
    ),
    (
        "max_unverified_per_address",
        "256",
        "The same from one address or IPv6 /64.",
    ),
    (
        "trusted_proxies",
        "",
        "Networks of the proxies whose X-Forwarded-For is believed.",
    ),
    (
        "max_buffered_bytes",
        "134217728",
        "Bytes of bodies being read or stored, all together; 503 beyond.",
    ),
    (
        "queue",
        "4096",
        "Verified requests that wait for a writer; 503 beyond.",
    ),
    (
        "writers",
        "2",
        "Transactions that store requests at the same time.",
    ),
    (
        "batch_max",
        "256",
        "Requests stored in one transaction, at most.",
    ),
    (
        "answer_timeout_ms",
        "4000",
        "How long storing may take before the sender is told to come again.",
    ),
];

pub(super) fn all() -> Docs {
    Docs::new()
        .section("db", DB)
        .section("bus", BUS)
        .key(
            "whatsapp.apps",
            "",
            "The Meta apps by their name in /webhooks/whatsapp/{app}: apps.<name>.secrets (up to three app secrets, each \
             text or {value, expires_at}) and apps.<name>.verify_token. WHATSAPP_APP_SECRET and \
             WHATSAPP_WEBHOOK_VERIFY_TOKEN set those of the app named default.",
        )
        .section("intake", INTAKE)
}
