//! In front of every gRPC server.

mod authorizer;
mod layer;

pub use authorizer::Authorizer;
pub use layer::{GrpcLayer, GrpcService};
