use std::net::SocketAddr;

/// Why a process or service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken, or not ours to open.
    #[error("listen on {address}")]
    Bind {
        /// The port.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The service could not be built.
    #[error("build {service}")]
    Build {
        /// The service.
        service: &'static str,
        /// Its own reason.
        #[source]
        source: anyhow::Error,
    },
    /// The descriptors given to reflection.
    #[error("descriptors for reflection are not valid")]
    Reflection(#[source] tonic_reflection::server::Error),
    /// Signals cannot be received.
    #[error("listen for signals")]
    Signals(#[source] std::io::Error),
}
