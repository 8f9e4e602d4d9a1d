//! The public API: REST and server-sent events in, gRPC out.
//!
//! Nothing here is written per endpoint. Paths, methods and messages come from the proto files
//! (`proto::rest` transcodes, `proto::access` says who may call); what is written by hand is what
//! no RPC can say: credentials, which headers cross the border, the form of errors, and resuming
//! the event stream.

mod app;
mod browser;
mod config;
mod credentials;
mod http;
mod upstreams;

pub use app::App;
pub use browser::{WebOrigin, WebOriginInvalid};
pub use config::{Api, Browser, Config, Cors, Events, Remembered, ServiceClient};
