//! Rules without a database or a network.

pub(crate) mod assignment;
pub(crate) mod audit;
pub(crate) mod challenge;
pub(crate) mod device;
pub(crate) mod email;
pub(crate) mod invitation;
pub(crate) mod link;
pub(crate) mod mac_key;
pub(crate) mod networks;
pub(crate) mod organization;
pub(crate) mod power;
pub(crate) mod refresh_token;
pub(crate) mod scim;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod sso;
pub(crate) mod suppression;
pub(crate) mod throttle;
pub(crate) mod totp;
