//! A callback receiver for tests: records every request and answers what the test says, byte for byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the application does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Waits, then does the other thing.
    After(Duration, Box<Reply>),
}

impl Reply {
    /// A well-formed answer.
    pub fn status(status: u16, content_type: &str, body: &str) -> Reply {
        let head = format!(
            "HTTP/1.1 {status} Answer\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        Reply::Bytes([head.as_bytes(), body.as_bytes()].concat())
    }

    /// `200 {"Status":"OK"}`.
    pub fn ok() -> Reply {
        Reply::status(200, "application/json", r#"{"Status":"OK"}"#)
    }

    /// The other reply, later.
    pub fn after(self, wait: Duration) -> Reply {
        Reply::After(wait, Box::new(self))
    }
}

/// A request as the application received it.
#[derive(Clone, Debug)]
pub struct Received {
    /// Request line's target.
    pub target: String,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Received {
    /// First header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A running application on a loopback port of its own.
pub struct Application {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    stopping: Arc<AtomicBool>,
}

impl Application {
    /// Answers every request with `reply`.
    pub fn answering(reply: Reply) -> Application {
        Application::deciding(move |_| reply.clone())
    }

    /// Answers each request as `decide` says.
    pub fn deciding(decide: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Application {
        Application::serving(move |stream, record| serve(stream, record, &decide))
    }

    /// Reads the first byte of every request and closes: what was not read turns the close into a reset.
    pub fn resetting() -> Application {
        Application::serving(|mut stream, _| {
            let _ = stream.read(&mut [0u8; 1]);
        })
    }

    /// Answers a TLS greeting as a server that speaks plain HTTP does.
    pub fn speaking_no_tls() -> Application {
        Application::serving(|mut stream, _| {
            let _ = stream.read(&mut [0u8; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        })
    }

    fn serving(serve: impl Fn(TcpStream, &Mutex<Vec<Received>>) + Send + Sync + 'static) -> Application {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let received = Arc::new(Mutex::new(Vec::new()));
        let stopping = Arc::new(AtomicBool::new(false));
        let (record, stop, serve) = (Arc::clone(&received), Arc::clone(&stopping), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (record, serve) = (Arc::clone(&record), Arc::clone(&serve));
                std::thread::spawn(move || serve(stream, &record));
            }
        });
        Application { address, received, stopping }
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What came in so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("not poisoned").clone()
    }

    /// The base64 callback parameter that leads here: `path` is appended to the URL.
    pub fn callback(&self, path: &str, body: &str, body_type: &str) -> String {
        callback_parameter(&format!("{}{path}", self.url()), body, body_type)
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// A base64 callback parameter.
pub fn callback_parameter(url: &str, body: &str, body_type: &str) -> String {
    use base64::Engine as _;
    let json = serde_json::json!({ "callbackUrl": url, "callbackBody": body, "callbackBodyType": body_type });
    base64::engine::general_purpose::STANDARD.encode(json.to_string())
}

fn serve(mut stream: TcpStream, record: &Mutex<Vec<Received>>, decide: &dyn Fn(&Received) -> Reply) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let Some(request) = read_request(&mut stream) else { return };
    let reply = decide(&request);
    record.lock().expect("not poisoned").push(request);
    answer(stream, reply);
}

fn answer(mut stream: TcpStream, reply: Reply) {
    match reply {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes);
            let _ = stream.flush();
        }
        Reply::After(wait, then) => {
            std::thread::sleep(wait);
            answer(stream, *then);
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut chunk = [0u8; 16 * 1024];
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut line = lines.next()?.split(' ');
    let (method, target) = (line.next()?.to_owned(), line.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = match headers.iter().find(|(name, _)| name == "content-length") {
        Some((_, length)) => length.parse::<usize>().ok()?,
        // A callback must have one.
        None => (method == "GET").then_some(0)?,
    };
    let mut body = bytes.split_off(head_end);
    while body.len() < length {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        body.extend_from_slice(&chunk[..count]);
    }
    Some(Received { target, headers, body })
}
