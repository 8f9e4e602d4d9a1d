//! Sending: each number's lane is owned by one replica at a time, which claims what is due, writes
//! the attempts, calls WhatsApp under the number's pacing and writes what came of it.
//!
//! The order of writes is the promise (reliability: never lose, never double): an attempt is
//! committed before its call, and a call without a known result is never repeated by itself.

mod call;
pub(crate) mod claim;
mod engine;
mod lane;
pub(crate) mod pace;
mod scheduler;
mod settle;

pub(crate) use claim::end;
pub(crate) use engine::Engine;
pub(crate) use scheduler::run;
