pub(crate) mod sweep;
pub(crate) mod write_webhooks;
