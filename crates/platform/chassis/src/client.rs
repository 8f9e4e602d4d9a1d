//! Calling another service over gRPC.

mod body;
mod call;
mod channel;
mod instruments;
mod methods;
mod retry;
mod token;

pub use channel::{Channel, ChannelConfig, ChannelError, Channels};
pub use token::TokenSource;
