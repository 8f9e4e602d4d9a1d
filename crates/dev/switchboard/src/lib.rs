//! All seven services and the provider sandbox in one process: for a laptop, a demonstration, load
//! and end-to-end tests. Nothing here is part of a deployed service.
//!
//! [`platform`] composes the services; the rest uses them from outside, as a customer and as Meta
//! would: [`api`], [`whatsapp`], and what is played with both, [`demo`] and [`bench`].

pub mod api;
pub mod backing;
pub mod bench;
pub mod demo;
pub mod doors;
pub mod platform;
pub mod whatsapp;
