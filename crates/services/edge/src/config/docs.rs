//! What each key means, for `edge config schema`.

use bus::BusConfig;
use chassis::config::Docs;
use db::DbConfig;

type Rows = &'static [(&'static str, &'static str, &'static str)];

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
        .section("db", DbConfig::DOCS)
        .section("bus", BusConfig::DOCS)
        .key(
            "whatsapp.apps",
            "",
            "The Meta apps by their name in /webhooks/whatsapp/{app}: apps.<name>.secrets (up to three app secrets, each \
             text or {value, expires_at}) and apps.<name>.verify_token. WHATSAPP_APP_SECRET and \
             WHATSAPP_WEBHOOK_VERIFY_TOKEN set those of the app named default.",
        )
        .key(
            "resend.secrets",
            "",
            "Signing secrets of the webhook at Resend: up to three, each text (whsec_…) or {value, expires_at}. Without \
             one, /webhooks/resend answers 404.",
        )
        .section("intake", INTAKE)
}
