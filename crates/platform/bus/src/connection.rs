//! One connection to the broker, opened and closed within a deadline.

use std::{
    fmt,
    net::{Shutdown, SocketAddr, TcpStream},
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt, stream::BoxStream};
use lapin::{
    AsyncTcpStream, Connection, ConnectionProperties, Event,
    tcp::OwnedTLSConfig,
    uri::{AMQPScheme, AMQPUri},
};

use crate::{BusConfig, BusError, deadline::within};

/// With the 128 KiB that RabbitMQ proposes, the client keeps two buffers of 4 MiB for each
/// connection; this keeps them at 1 MiB, and a larger message simply has several frames.
const FRAME_MAX: u32 = 32 * 1024;

/// An open connection and the means to end it even if nobody answers.
pub(crate) struct Dialed {
    pub(crate) connection: Connection,
    pub(crate) events: BoxStream<'static, Event>,
    pub(crate) socket: Socket,
}

/// A second handle of the connection's socket. The client's own thread waits without bound for a
/// peer that accepted and then fell silent; shutting the socket down ends that wait.
#[derive(Clone, Default)]
pub(crate) struct Socket(Arc<Mutex<Option<TcpStream>>>);

impl Socket {
    fn keep(&self, stream: &impl AsFd) -> std::io::Result<()> {
        let copy: OwnedFd = stream.as_fd().try_clone_to_owned()?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(TcpStream::from(copy));
        Ok(())
    }

    /// Ends the connection now.
    pub(crate) fn cut(&self) {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stream) = stream {
            // The peer may have closed already; there is nothing to do about either answer.
            let _closed = stream.shutdown(Shutdown::Both);
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}

/// Opens a connection that shows up in the broker's list as `name`.
pub(crate) async fn dial(config: &BusConfig, name: &str) -> Result<Dialed, BusError> {
    let Some(mut uri) = config.parsed_url() else {
        return Err(BusError::Config(config.problems()));
    };
    uri.query.heartbeat = Some(config.heartbeat_s);
    uri.query.frame_max.get_or_insert(FRAME_MAX);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let runtime =
        lapin::runtime::default_runtime().map_err(BusError::failed("find the runtime"))?;
    let timeout = config.connect_timeout();

    let socket = Socket::default();
    let kept = socket.clone();
    let opened = Connection::connector(
        uri,
        runtime,
        async move |uri: AMQPUri, runtime| {
            let authority = (uri.authority.host.as_str(), uri.authority.port);
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host(authority).await?.collect();
            let stream = AsyncTcpStream::connect(&runtime, addresses);
            let stream = tokio::time::timeout(timeout, stream)
                .await
                .map_err(std::io::Error::from)??;
            if let AsyncTcpStream::Plain(plain) = &stream {
                kept.keep(plain.get_ref())?;
            }
            match uri.scheme {
                AMQPScheme::AMQP => Ok(stream),
                AMQPScheme::AMQPS => {
                    let tls = OwnedTLSConfig::default();
                    Ok(stream.into_tls(&uri.authority.host, tls.as_ref()).await?)
                }
            }
        },
        properties,
    );
    match within(timeout, "connect", opened).await {
        Ok(connection) => Ok(Dialed {
            events: connection.events_listener().boxed(),
            connection,
            socket,
        }),
        Err(error) => {
            socket.cut();
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrecy::SecretString;
    use testkit::eventually;

    use super::*;

    fn client_threads() -> usize {
        let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
        tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .filter(|name| name.starts_with("lapin"))
            .count()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_peer_that_accepts_and_says_nothing_costs_no_thread_after_the_deadline() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = silent.local_addr().expect("an address");
        let mut config = BusConfig::new(SecretString::from(format!("amqp://a:b@{address}/x")));
        config.connect_timeout_ms = 100;
        for _attempt in 0..3 {
            let error = dial(&config, "test").await.err().expect("nobody answers");
            assert!(matches!(error, BusError::Timeout("connect")), "{error:?}");
        }
        eventually(Duration::from_secs(10), || async { client_threads() == 0 }).await;
    }
}
