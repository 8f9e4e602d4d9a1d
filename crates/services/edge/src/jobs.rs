pub(crate) mod sweep_receipts;
pub(crate) mod write_webhooks;
