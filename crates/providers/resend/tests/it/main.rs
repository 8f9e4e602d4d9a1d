//! The crate from outside, with servers in Resend's place.

mod contract;
mod events;
mod fuzz;
mod played;
mod sends;
