//! The chassis as services and operators meet it: real sockets, real processes.

mod client;
mod grpc;
mod health;
mod http;
mod lifecycle;
mod process;
mod support;
mod telemetry;
