//! Resend as its users see it.

mod faults;
mod sends;
mod webhooks;
mod world;
