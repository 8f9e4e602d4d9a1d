//! A kept-alive HTTP/1.1 connection: just enough to send requests that were written beforehand and
//! to understand the answers. A full client would take more of the two cores than what it measures.

use std::{io, net::SocketAddr, ops::Range};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Room for an answer; it grows when one is larger.
const BUFFER: usize = 16 * 1_024;

/// What the other side answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    body: Range<usize>,
}

/// One connection, one request at a time.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
    answered: usize,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: BytesMut::with_capacity(BUFFER),
            answered: 0,
        })
    }

    /// Sends a whole request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection is lost, or the answer says in no way that we read how long it is.
    pub(super) async fn call(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.buffer.advance(self.answered);
        self.answered = 0;
        self.stream.write_all(request).await?;
        loop {
            if let Some(answer) = parse(&self.buffer)? {
                if answer.body.end <= self.buffer.len() {
                    self.answered = answer.body.end;
                    return Ok(answer);
                }
                self.buffer.reserve(answer.body.end - self.buffer.len());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// The body of the newest answer.
    pub(super) fn body(&self, answer: &Answer) -> &[u8] {
        self.buffer.get(answer.body.clone()).unwrap_or_default()
    }
}

/// The head of an answer, once all of it is there.
fn parse(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| unreadable("its head is no text"))?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12)?.parse().ok());
    let status = status.ok_or_else(|| unreadable("it has no status"))?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let named = name.eq_ignore_ascii_case("content-length");
        named.then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    let length = length.ok_or_else(|| unreadable("it has no Content-Length"))?;
    let body = end + 4..end + 4 + length;
    Ok(Some(Answer { status, body }))
}

fn unreadable(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_once_its_head_is_there() {
        let whole = b"HTTP/1.1 200 OK\r\nDate: x\r\ncontent-LENGTH: 5\r\n\r\nhello";
        let answer = parse(whole).expect("readable").expect("complete");
        assert_eq!(answer.status, 200);
        assert_eq!(&whole[answer.body], b"hello");
        assert_eq!(parse(&whole[..30]).expect("readable"), None);
    }

    #[test]
    fn an_answer_of_unknown_length_is_an_error_and_no_hang() {
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert!(parse(chunked).is_err());
        assert!(parse(b"HTTP/1.1 x\r\ncontent-length: 0\r\n\r\n").is_err());
    }
}
