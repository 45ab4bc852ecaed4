//! Reads the PROXY protocol, versions 1 and 2: a few bytes in front of a connection in which a proxy names its
//! client. They are looked for only where the other end is a trusted proxy, and only once for each connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

const V1_BEGINNING: &[u8] = b"PROXY ";
const V1_BYTES_MAX: usize = 107;
const V2_BEGINNING: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_HEAD_BYTES: usize = 16;
/// Addresses and what proxies add to them; nobody needs the 64 KiB that the length could say.
const V2_BODY_BYTES_MAX: usize = 4096;

/// What a connection begins with.
#[derive(Debug, PartialEq, Eq)]
enum Beginning {
    /// More bytes are needed to tell.
    Undecided,
    /// Something else.
    Absent,
    /// A header of so many bytes; the source is not named where the proxy speaks for itself or for a connection
    /// that is not TCP.
    Header(usize, Option<IpAddr>),
    /// It begins as a header and is none.
    Malformed,
}

fn read(bytes: &[u8]) -> Beginning {
    let may_become = |beginning: &[u8]| bytes.iter().zip(beginning).all(|(one, other)| one == other);
    if may_become(V2_BEGINNING) {
        return if bytes.len() < V2_HEAD_BYTES { Beginning::Undecided } else { read_v2(bytes) };
    }
    if may_become(V1_BEGINNING) {
        return if bytes.len() < V1_BEGINNING.len() { Beginning::Undecided } else { read_v1(bytes) };
    }
    Beginning::Absent
}

fn read_v1(bytes: &[u8]) -> Beginning {
    let Some(end) = bytes.windows(2).take(V1_BYTES_MAX - 1).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < V1_BYTES_MAX { Beginning::Undecided } else { Beginning::Malformed };
    };
    let line = bytes.get(..end).and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    let port = |text: &str| text.parse::<u16>().is_ok();
    match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => Beginning::Header(end + 2, None),
        ["PROXY", family @ ("TCP4" | "TCP6"), from, to, from_port, to_port]
            if port(from_port) && port(to_port) =>
        {
            match (from.parse::<IpAddr>(), to.parse::<IpAddr>()) {
                (Ok(from), Ok(to))
                    if from.is_ipv4() == (*family == "TCP4") && to.is_ipv4() == from.is_ipv4() =>
                {
                    Beginning::Header(end + 2, Some(from.to_canonical()))
                }
                _ => Beginning::Malformed,
            }
        }
        _ => Beginning::Malformed,
    }
}

fn read_v2(bytes: &[u8]) -> Beginning {
    let Some([command, family, high, low]) = bytes.get(12..V2_HEAD_BYTES) else {
        return Beginning::Malformed;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > V2_BODY_BYTES_MAX {
        return Beginning::Malformed;
    }
    let Some(body) = bytes.get(V2_HEAD_BYTES..V2_HEAD_BYTES + length) else { return Beginning::Undecided };
    let all = V2_HEAD_BYTES + length;
    match (command, family) {
        // LOCAL: the proxy itself, which looks whether this end is alive.
        (0x20, _) => Beginning::Header(all, None),
        (0x21, 0x11) => match body.first_chunk::<4>() {
            Some(from) if length >= 12 => Beginning::Header(all, Some(Ipv4Addr::from(*from).into())),
            _ => Beginning::Malformed,
        },
        (0x21, 0x21) => match body.first_chunk::<16>() {
            Some(from) if length >= 36 => {
                Beginning::Header(all, Some(IpAddr::from(Ipv6Addr::from(*from)).to_canonical()))
            }
            _ => Beginning::Malformed,
        },
        // UDP and sockets of that machine have no address that means something here.
        (0x21, _) => Beginning::Header(all, None),
        _ => Beginning::Malformed,
    }
}

/// Reads the header, where there is one; gives the source that it names, and the stream behind it.
pub(super) async fn take<T: AsyncRead + Unpin>(
    mut stream: T,
) -> io::Result<(Option<IpAddr>, ReadAheadStream<T>)> {
    let mut bytes = BytesMut::new();
    loop {
        let (skip, source) = match read(&bytes) {
            Beginning::Header(length, source) => (length, source),
            Beginning::Absent => (0, None),
            Beginning::Malformed => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a malformed PROXY header"));
            }
            Beginning::Undecided => {
                if stream.read_buf(&mut bytes).await? > 0 {
                    continue;
                }
                (0, None)
            }
        };
        bytes.advance(skip);
        return Ok((
            source,
            ReadAheadStream { read_ahead: bytes.freeze(), ..ReadAheadStream::nothing(stream) },
        ));
    }
}

/// A stream of which the first bytes were read ahead. Until it may be read on, what comes between two writes can be
/// bounded, as what a client sends in one step of a handshake.
pub(super) struct ReadAheadStream<T> {
    read_ahead: Bytes,
    stream: T,
    step_bytes_max: Option<usize>,
    step_bytes: usize,
}

impl<T> ReadAheadStream<T> {
    /// A stream of which nothing was read.
    pub(super) fn nothing(stream: T) -> Self {
        Self { read_ahead: Bytes::new(), stream, step_bytes_max: None, step_bytes: 0 }
    }

    /// Reading more than so many bytes without a write between them fails, until [`ReadAheadStream::read_on`].
    pub(super) fn read_in_steps_of(&mut self, bytes_max: usize) {
        self.step_bytes_max = Some(bytes_max);
    }

    /// Reading is not bounded any more.
    pub(super) fn read_on(&mut self) {
        self.step_bytes_max = None;
    }

    fn count(&mut self, bytes: usize) -> io::Result<()> {
        let Some(most) = self.step_bytes_max else { return Ok(()) };
        self.step_bytes += bytes;
        if self.step_bytes > most {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more bytes came than one step can have"));
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for ReadAheadStream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.read_ahead.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        } else {
            let count = self.read_ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.read_ahead.split_to(count));
        }
        let read = buffer.filled().len() - before;
        Poll::Ready(self.count(read))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for ReadAheadStream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.step_bytes = 0;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.step_bytes = 0;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [V2_BEGINNING, &[command, family], &length, body].concat()
    }

    fn source(address: &str) -> Option<IpAddr> {
        Some(address.parse().unwrap())
    }

    #[test]
    fn reads_both_versions_wherever_they_are_cut() {
        let four = [&[192, 0, 2, 1, 10, 0, 0, 1, 1, 2, 3, 4][..], b"more"].concat();
        let six = [&Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).octets()[..], &[0; 20]].concat();
        for (bytes, from) in [
            (b"PROXY TCP4 192.0.2.1 10.0.0.1 4711 80\r\n".to_vec(), source("192.0.2.1")),
            (b"PROXY TCP6 2001:db8::1 ::1 4711 80\r\n".to_vec(), source("2001:db8::1")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ff::1 ff::2 1 2\r\n".to_vec(), None),
            (v2(0x21, 0x11, &four), source("192.0.2.1")),
            (v2(0x21, 0x21, &six), source("2001:db8::1")),
            (v2(0x20, 0x11, &four), None),
            (v2(0x21, 0x31, &[0; 216]), None),
            (v2(0x20, 0x00, &[]), None),
        ] {
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes[..cut]), Beginning::Undecided, "{cut} of {bytes:?}");
            }
            let followed = [&bytes[..], b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(read(&followed), Beginning::Header(bytes.len(), from), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn what_one_step_of_a_handshake_brings_is_bounded_and_a_write_begins_the_next() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut stream = ReadAheadStream::nothing(near);
        let mut buffer = [0; 32];
        stream.read_in_steps_of(20);
        for _ in 0..3 {
            far.write_all(&[7; 20]).await.unwrap();
            assert_eq!(stream.read(&mut buffer).await.unwrap(), 20);
            stream.write_all(b"on").await.unwrap();
        }
        far.write_all(&[7; 21]).await.unwrap();
        assert_eq!(stream.read(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        stream.read_on();
        far.write_all(&[7; 21]).await.unwrap();
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 21);
    }

    #[test]
    fn leaves_other_bytes_alone_and_refuses_a_broken_header() {
        for other in ["GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "PROXIES", "\r\n\r\nGET /", "\x16\x03\x01"]
        {
            assert_eq!(read(other.as_bytes()), Beginning::Absent, "{other:?}");
        }
        for broken in [
            "PROXY TCP4 192.0.2.1 10.0.0.1 4711\r\n",
            "PROXY TCP4 2001:db8::1 ::1 4711 80\r\n",
            "PROXY TCP4 192.0.2.1 10.0.0.1 4711 800000\r\n",
            "PROXY TCP5 192.0.2.1 10.0.0.1 4711 80\r\n",
            "PROXY / HTTP/1.1\r\n",
            &format!("PROXY TCP4 {}", "1".repeat(200)),
        ] {
            assert_eq!(read(broken.as_bytes()), Beginning::Malformed, "{broken:?}");
        }
        for broken in [
            v2(0x31, 0x11, &[0; 12]),
            v2(0x22, 0x11, &[0; 12]),
            v2(0x21, 0x11, &[0; 11]),
            v2(0x20, 0, &[0; 5000]),
        ] {
            assert_eq!(read(&broken), Beginning::Malformed, "{broken:?}");
        }
    }
}
