//! The client against real sockets.

mod guard;
mod metric;
mod outcome;
mod retry;
mod server;
mod tracing_context;
