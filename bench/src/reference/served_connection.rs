//! Serves one connection of the reference: requests one after the other, blocking.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, bail};
use crc_fast::{CrcAlgorithm, Digest};
use memchr::memmem;

use super::form_head::FormHead;
use super::large_file::LargeFile;
use super::object_index::Place;
use super::request_head::RequestHead;
use super::sink::Sink;
use crate::signing::hex;

/// Bodies up to this size are held whole and go to the log.
const SMALL_BYTES_MAX: u64 = 1 << 20;
/// One read of a large body.
const READ_BYTES: usize = 256 * 1024;
/// Objects up to this size are answered in one write with their head.
const JOINED_BYTES_MAX: u64 = 64 * 1024;

/// Serves until the other side hangs up or sends what is not understood.
pub(super) fn serve(socket: TcpStream, sink: &Sink) -> anyhow::Result<()> {
    socket.set_nodelay(true)?;
    let buffer = vec![0; SMALL_BYTES_MAX as usize + READ_BYTES];
    let mut connection = Connection { socket, sink, buffer, filled: 0, out: Vec::new() };
    while let Some(head) = connection.next_head()? {
        connection.out.clear();
        let whole = head.head_bytes as u64 + head.body_bytes;
        match head.method.as_str() {
            "GET" => connection.get(&head)?,
            "PUT" | "POST"
                if head.body_bytes <= SMALL_BYTES_MAX && whole <= connection.buffer.len() as u64 =>
            {
                connection.take_small(&head)?;
            }
            "PUT" | "POST" => connection.take_large(&head)?,
            other => bail!("{other} is not served"),
        }
        let out = std::mem::take(&mut connection.out);
        connection.socket.write_all(&out)?;
        connection.out = out;
    }
    Ok(())
}

struct Connection<'a> {
    socket: TcpStream,
    sink: &'a Sink,
    buffer: Vec<u8>,
    filled: usize,
    out: Vec<u8>,
}

impl Connection<'_> {
    /// The next request's head, or `None` at the end of the connection.
    fn next_head(&mut self) -> anyhow::Result<Option<RequestHead>> {
        loop {
            if let Some(head) = RequestHead::parse(self.received())? {
                return Ok(Some(head));
            }
            if self.receive(READ_BYTES)? == 0 {
                return Ok(None);
            }
        }
    }

    fn received(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Reads at most this much behind what is there.
    fn receive(&mut self, at_most: usize) -> anyhow::Result<usize> {
        let end = self.buffer.len().min(self.filled + at_most);
        let read = self.socket.read(self.buffer.get_mut(self.filled..end).unwrap_or_default())?;
        self.filled += read;
        Ok(read)
    }

    /// Forgets the first bytes.
    fn consume(&mut self, bytes: usize) {
        self.buffer.copy_within(bytes..self.filled, 0);
        self.filled -= bytes;
    }

    fn answer(&mut self, status: &str, digests: &Digests) -> std::io::Result<()> {
        let (etag, crc64) = (digests.etag(), digests.crc64.finalize());
        write!(
            self.out,
            "HTTP/1.1 {status}\r\nETag: \"{etag}\"\r\nx-oss-hash-crc64ecma: {crc64}\r\nContent-Length: 0\r\n\r\n"
        )
    }

    /// A body that fits the buffer: to the log.
    fn take_small(&mut self, head: &RequestHead) -> anyhow::Result<()> {
        let whole = head.head_bytes + head.body_bytes as usize;
        while self.filled < whole {
            if self.receive(usize::MAX >> 1)? == 0 {
                bail!("the connection ended within a body");
            }
        }
        let body = self.buffer.get(head.head_bytes..whole).unwrap_or_default();
        let taken = if head.method == "POST" {
            self.file_of_form(head, body)?
        } else {
            Some((head.path.clone(), body))
        };
        let mut digests = Digests::new(self.sink.md5);
        let status = match taken {
            Some((key, bytes)) => {
                digests.update(bytes);
                let place = Place::Log { offset: self.sink.log.append(&key, bytes), len: bytes.len() as u64 };
                self.sink.index.insert(key, place);
                "200 OK"
            }
            None => "403 Forbidden",
        };
        self.consume(whole);
        Ok(self.answer(status, &digests)?)
    }

    /// Key and bytes of a form; `None` when its signature is not ours.
    fn file_of_form<'b>(
        &self,
        head: &RequestHead,
        body: &'b [u8],
    ) -> anyhow::Result<Option<(String, &'b [u8])>> {
        match FormHead::parse(body, &head.boundary, &self.sink.key).context("a form without a file")? {
            FormHead::Refused => Ok(None),
            FormHead::Signed { key, file_at } => {
                let file = body.get(file_at..).unwrap_or_default();
                let end = memmem::find(file, &[b"\r\n", &head.boundary[..]].concat());
                let end = end.context("a file without an end")?;
                Ok(Some((format!("{}{key}", head.path), file.get(..end).unwrap_or_default())))
            }
        }
    }

    /// A body that does not fit: to a file, digests computed in line.
    fn take_large(&mut self, head: &RequestHead) -> anyhow::Result<()> {
        let mut left = (head.head_bytes as u64 + head.body_bytes).saturating_sub(self.filled as u64);
        let mut key = head.path.clone();
        let mut end = Vec::new();
        if head.method == "POST" {
            let Some((form_key, file_at)) = self.large_form_head(head, &mut left)? else {
                self.answer("403 Forbidden", &Digests::new(false))?;
                bail!("a form that is not signed with our key");
            };
            key.push_str(&form_key);
            end = [b"\r\n", &head.boundary[..]].concat();
            self.consume(file_at);
        } else {
            self.consume(head.head_bytes);
        }
        let path = self.sink.data.join(format!("large-{}", self.sink.files.fetch_add(1, Ordering::Relaxed)));
        let file = LargeFile::create(&path, head.body_bytes, self.sink.direct)?;
        let mut body = LargeBody { file, digests: Digests::new(self.sink.md5), end, ended: false };
        loop {
            let (used, whole) = body.take(self.received(), left == 0)?;
            self.consume(used);
            if whole {
                break;
            }
            let read = self.receive(usize::try_from(left).unwrap_or(READ_BYTES).min(READ_BYTES))?;
            if read == 0 {
                bail!("the connection ended within a body");
            }
            left -= read as u64;
        }
        let len = body.file.finish()?;
        self.publish(key, path, len);
        Ok(self.answer("200 OK", &body.digests)?)
    }

    /// Reads on until the form's file begins; its key, and where in the buffer the file begins.
    fn large_form_head(
        &mut self,
        head: &RequestHead,
        left: &mut u64,
    ) -> anyhow::Result<Option<(String, usize)>> {
        loop {
            let form = self.received().get(head.head_bytes..).unwrap_or_default();
            match FormHead::parse(form, &head.boundary, &self.sink.key) {
                Some(FormHead::Signed { key, file_at }) => return Ok(Some((key, head.head_bytes + file_at))),
                Some(FormHead::Refused) => return Ok(None),
                None => {
                    let read = self.receive(READ_BYTES)? as u64;
                    if read == 0 {
                        bail!("the connection ended within a form's head");
                    }
                    *left -= read;
                }
            }
        }
    }

    /// Logs the file's name durably, and removes the file that it replaces.
    fn publish(&self, key: String, path: PathBuf, len: u64) {
        self.sink.log.append(&key, path.as_os_str().as_encoded_bytes());
        if let Some(Place::File { path: former, .. }) = self.sink.index.insert(key, Place::File { path, len })
        {
            let _ = std::fs::remove_file(former);
        }
    }

    fn get(&mut self, head: &RequestHead) -> anyhow::Result<()> {
        self.consume(head.head_bytes);
        match self.sink.index.get(&head.path) {
            None => write!(self.out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
            Some(Place::Log { offset, len }) if len <= JOINED_BYTES_MAX => {
                write!(self.out, "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n")?;
                let head_bytes = self.out.len();
                self.out.resize(head_bytes + len as usize, 0);
                self.sink.log.read_at(self.out.get_mut(head_bytes..).unwrap_or_default(), offset)?;
            }
            Some(Place::Log { offset, len }) => self.send_file(self.sink.log.file(), offset, len)?,
            Some(Place::File { path, len }) => self.send_file(&File::open(path)?, 0, len)?,
        }
        Ok(())
    }

    fn send_file(&self, file: &File, mut offset: u64, len: u64) -> anyhow::Result<()> {
        let mut socket = &self.socket;
        write!(socket, "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n")?;
        let end = offset + len;
        while offset < end {
            let most = usize::try_from(end - offset).unwrap_or(usize::MAX).min(1 << 30);
            if rustix::fs::sendfile(socket, file, Some(&mut offset), most)? == 0 {
                bail!("the file is shorter than it was");
            }
        }
        Ok(())
    }
}

/// A large body between socket and file.
struct LargeBody {
    file: LargeFile,
    digests: Digests,
    /// What ends the file within a form; empty where the body is the file.
    end: Vec<u8>,
    ended: bool,
}

impl LargeBody {
    /// Takes what can be taken, and says how much that was and whether the request is whole. `last` says that
    /// nothing follows.
    fn take(&mut self, bytes: &[u8], last: bool) -> anyhow::Result<(usize, bool)> {
        if self.ended {
            return Ok((bytes.len(), last));
        }
        let found = if self.end.is_empty() { None } else { memmem::find(bytes, &self.end) };
        let sure = match found {
            Some(at) => at,
            None => bytes.len().saturating_sub(self.end.len().saturating_sub(1)),
        };
        let certain = bytes.get(..sure).unwrap_or_default();
        self.digests.update(certain);
        self.file.append(certain)?;
        self.ended = found.is_some();
        if last && !self.ended && !self.end.is_empty() {
            bail!("a form without an end");
        }
        Ok((if self.ended { bytes.len() } else { sure }, last))
    }
}

/// MD5 and CRC-64 in one pass.
struct Digests {
    md5: Option<countersign_sys::Md5>,
    crc64: Digest,
}

impl Digests {
    fn new(md5: bool) -> Digests {
        Digests { md5: md5.then(countersign_sys::Md5::new), crc64: Digest::new(CrcAlgorithm::Crc64Xz) }
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        self.crc64.update(bytes);
    }

    fn etag(&self) -> String {
        self.md5.clone().map(|md5| hex(&md5.finish())).unwrap_or_default()
    }
}
