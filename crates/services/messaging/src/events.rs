//! Events in and out.

pub(crate) mod audit;
pub(crate) mod intake;
pub(crate) mod on_organization_erased;
pub(crate) mod on_roster_changed;
pub(crate) mod on_whatsapp_received;
pub(crate) mod publish;
pub(crate) mod worked;
