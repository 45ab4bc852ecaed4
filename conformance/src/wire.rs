//! HTTP/1.1 by hand, so that a test decides every byte: sends one request on a fresh connection and reads one answer
//! in full.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// One request: method, target, headers in order, body.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Method, as written on the wire.
    pub method: String,
    /// Request target, as written on the wire.
    pub target: String,
    /// Header lines in order; `Content-Length` is added when no framing is given.
    pub headers: Vec<(String, String)>,
    /// Body bytes.
    pub body: Vec<u8>,
}

/// One answer: status, headers in order with names in lower case, body after removal of its framing.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Time from the first byte sent to the last byte read.
    pub took: Duration,
}

impl Answer {
    /// First header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of the first `<name>` element in the body.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(
            value
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&apos;", "'")
                .replace("&amp;", "&"),
        )
    }

    /// `status Code` of an error answer, as the tests compare it.
    pub fn verdict(&self) -> String {
        match self.element("Code") {
            Some(code) => format!("{} {code}", self.status),
            None => self.status.to_string(),
        }
    }
}

impl Exchange {
    /// A request without headers or body.
    pub fn new(method: &str, target: &str) -> Exchange {
        Exchange { method: method.into(), target: target.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A GET.
    pub fn get(target: &str) -> Exchange {
        Exchange::new("GET", target)
    }

    /// Adds a header line.
    pub fn header(mut self, name: &str, value: &str) -> Exchange {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds the Host header.
    pub fn host(self, host: &str) -> Exchange {
        self.header("Host", host)
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Exchange {
        self.body = body.into();
        self
    }

    /// The head as bytes, ending with the empty line.
    pub fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let framed = self.headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
        });
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !framed && (!self.body.is_empty() || self.method == "POST" || self.method == "PUT") {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("Connection: close\r\n\r\n");
        head.into_bytes()
    }

    /// Head and body, as they go over the wire.
    pub fn whole(&self) -> Vec<u8> {
        [self.head(), self.body.clone()].concat()
    }

    /// Sends it to `address` (`host:port`).
    pub fn try_send(&self, address: &str) -> std::io::Result<Answer> {
        let started = Instant::now();
        let mut stream = connect(address)?;
        stream.write_all(&self.head())?;
        // The peer may answer and close while we still send; its answer is what counts.
        let _ = stream.write_all(&self.body);
        read_answer(&mut stream, started, self.method == "HEAD")
    }

    /// Sends the head and the first bytes of the body, and closes without waiting for an answer.
    pub fn send_part(&self, address: &str, body_bytes: usize) -> std::io::Result<()> {
        let mut stream = connect(address)?;
        stream.write_all(&self.head())?;
        stream.write_all(&self.body[..body_bytes])
    }

    /// As [`Exchange::try_send`], panicking when no answer comes.
    pub fn send(&self, address: &str) -> Answer {
        send(address, self)
    }
}

/// A connection with a 30 s patience.
pub fn connect(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    Ok(stream)
}

/// Sends `exchange` to `address`; panics when no answer comes.
pub fn send(address: &str, exchange: &Exchange) -> Answer {
    exchange
        .try_send(address)
        .unwrap_or_else(|error| panic!("{} {}: {error}", exchange.method, exchange.target))
}

/// Reads one answer; a `100 Continue` in front is skipped.
pub fn read_answer(stream: &mut TcpStream, started: Instant, headless: bool) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    loop {
        let head_end = read_head(stream, &mut bytes)?;
        let mut answer = parse_head(&bytes[..head_end])?;
        let rest = bytes.split_off(head_end);
        if answer.status == 100 {
            bytes = rest;
            continue;
        }
        answer.body = if headless || matches!(answer.status, 204 | 304) {
            Vec::new()
        } else {
            read_body(stream, &answer, rest)?
        };
        answer.took = started.elapsed();
        return Ok(answer);
    }
}

fn read_head(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(at + 4);
        }
        read_more(stream, bytes)?;
    }
}

fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let mut chunk = [0u8; 64 * 1024];
    let count = stream.read(&mut chunk)?;
    if count == 0 {
        return Err(std::io::Error::new(
            std::io::ErrorKind::UnexpectedEof,
            "the connection ended inside an answer",
        ));
    }
    bytes.extend_from_slice(&chunk[..count]);
    Ok(())
}

fn parse_head(head: &[u8]) -> std::io::Result<Answer> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let status =
        status.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "no status line"))?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Answer { status, headers, body: Vec::new(), took: Duration::ZERO })
}

fn read_body(stream: &mut TcpStream, answer: &Answer, mut bytes: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if let Some(length) = answer.header("content-length") {
        let length: usize = length.parse().map_err(std::io::Error::other)?;
        while bytes.len() < length {
            read_more(stream, &mut bytes)?;
        }
        bytes.truncate(length);
        return Ok(bytes);
    }
    let chunked =
        answer.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    if !chunked {
        stream.read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let mut body = Vec::new();
    loop {
        while !bytes.windows(2).any(|two| two == b"\r\n") {
            read_more(stream, &mut bytes)?;
        }
        let line_end = bytes.windows(2).position(|two| two == b"\r\n").unwrap_or_default();
        let size = usize::from_str_radix(String::from_utf8_lossy(&bytes[..line_end]).trim(), 16);
        let size = size.map_err(std::io::Error::other)?;
        while bytes.len() < line_end + 2 + size + 2 {
            read_more(stream, &mut bytes)?;
        }
        body.extend_from_slice(&bytes[line_end + 2..line_end + 2 + size]);
        bytes.drain(..line_end + 2 + size + 2);
        if size == 0 {
            return Ok(body);
        }
    }
}
