//! Set-based writes of a batch of webhooks. A batch spans tenants, so every row and every join
//! carries its `organization_id`.

pub(crate) mod contacts;
pub(crate) mod conversations;
pub(crate) mod keys;
pub(crate) mod messages;
pub(crate) mod statuses;
