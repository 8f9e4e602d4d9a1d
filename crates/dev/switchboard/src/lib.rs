//! All seven services and the provider sandbox in one process: for a laptop, a demonstration, load
//! and end-to-end tests. It is composition only; nothing here is part of a deployed service.

pub mod api;
pub mod backing;
pub mod bench;
pub mod demo;
pub mod platform;
pub mod whatsapp;
