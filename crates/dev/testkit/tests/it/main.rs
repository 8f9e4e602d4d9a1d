//! The tools themselves, against the real servers.

mod chaos;
mod servers;
