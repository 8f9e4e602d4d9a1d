pub(crate) mod receive_webhook;
pub(crate) mod store_webhooks;
pub(crate) mod verify_subscription;
