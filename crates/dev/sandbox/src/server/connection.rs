//! Connections that can be told to break off, so that "the answer was lost" happens on the wire
//! and not only in a status code.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, connect_info::Connected},
    serve::{IncomingStream, Listener},
};
use http::request::Parts;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

const UNLIMITED: u64 = u64::MAX;

/// The scripted-failure switch of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<AtomicU64>);

impl Wire {
    pub(crate) fn intact() -> Self {
        Self(Arc::new(AtomicU64::new(UNLIMITED)))
    }

    /// Lets `bytes` more through, then resets the connection (RST, not an orderly close).
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Release);
    }

    /// How many of `wanted` bytes may be written now; `None` when the connection is cut.
    fn allow(&self, wanted: usize) -> Option<usize> {
        let left = self.0.load(Ordering::Acquire);
        if left == UNLIMITED {
            return Some(wanted);
        }
        let allowed = usize::try_from(left).unwrap_or(wanted).min(wanted);
        (allowed > 0 || wanted == 0).then_some(allowed)
    }

    fn written(&self, bytes: usize) {
        let left = self.0.load(Ordering::Acquire);
        if left != UNLIMITED {
            let spent = u64::try_from(bytes).unwrap_or(left);
            self.0.store(left.saturating_sub(spent), Ordering::Release);
        }
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::Acquire) != UNLIMITED
    }
}

impl<S: Sync> FromRequestParts<S> for Wire {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Absent only when the router is called without a server.
        Ok(parts
            .extensions
            .get::<ConnectInfo<Self>>()
            .map_or_else(Self::intact, |info| info.0.clone()))
    }
}

#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    wire: Wire,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(allowed) = self.wire.allow(buf.len()) else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let result = Pin::new(&mut self.stream).poll_write(cx, &buf[..allowed]);
        if let Poll::Ready(Ok(bytes)) = &result {
            self.wire.written(*bytes);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.wire.is_cut() {
            // An orderly FIN would be seen before the reset.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.wire.is_cut()
            && let Err(error) = self.stream.set_zero_linger()
        {
            tracing::debug!(%error, "the connection closes without a reset");
        }
    }
}

/// Accepts [`Connection`]s.
#[derive(Debug)]
pub(crate) struct Door(pub(crate) TcpListener);

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, peer)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "the connection keeps Nagle's algorithm");
                    }
                    let wire = Wire::intact();
                    return (Connection { stream, wire }, peer);
                }
                Err(error) => {
                    // Out of file descriptors, mostly: they come back when connections close.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().wire.clone()
    }
}
