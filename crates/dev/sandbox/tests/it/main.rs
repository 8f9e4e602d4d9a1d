//! The sandbox as its users see it: HTTP in, signed webhooks out.

mod control;
mod faults;
mod graph;
mod harness;
mod limits;
mod resend;
mod templates;
mod webhooks;
mod window;
