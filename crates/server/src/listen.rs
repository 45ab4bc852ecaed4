//! Accepts connections for any hyper service over TCP or TLS, with the bounds that a public listener needs. Header
//! bytes and header time are bounded (hyper's timeout needs the timer that is installed here), the number of
//! connections too; a stop lets what is under way end.
//!
//! It knows nothing of the store. The application's router runs under the same loop.

use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_clock::Clock;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;

mod connection_places;
mod connection_timer;
mod peer;
mod proxy_protocol;
mod read_room;
pub mod request_log;
mod tls_files;
mod trusted_proxies;
mod write_stall;

use connection_places::{Activity, ConnectionPlace, ConnectionPlaces};
use connection_timer::ConnectionTimer;
pub use peer::Peer;
use proxy_protocol::ReadAheadStream;
use read_room::{BoundedReads, ReadRoom};
use request_log::RequestLog;
pub use tls_files::{TlsFiles, TlsFilesError};
pub use trusted_proxies::{TrustedProxies, TrustedProxy, TrustedProxyError};
use write_stall::WriteStall;

/// How connections are treated.
#[derive(Clone)]
pub struct ListenOptions {
    /// Times everything below.
    pub clock: Clock,
    /// How many connections may be open. For a further one the client that has most loses one, or it waits.
    pub connections_max: usize,
    /// The most bytes a request's head may have; also what one read of a body brings at most.
    pub header_bytes_max: usize,
    /// How long a request's head may take, also on an idle connection that is kept open.
    pub header_read_timeout: Duration,
    /// How long the other side may take nothing of what is sent to it.
    pub write_stall_timeout: Duration,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long requests under way get when the listener stops.
    pub shutdown_grace: Duration,
    /// Whose word counts for whom a connection or a request comes from.
    pub trusted_proxies: TrustedProxies,
    /// TLS, when the listener speaks it.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Is told when a connection could not be accepted: out of descriptors, most often.
    pub not_accepted: Option<NotAccepted>,
    /// What is logged of each request.
    pub request_log: RequestLog,
    /// Counts the bytes of answers as they are sent.
    pub sent_bytes: metrics::Counter,
}

/// See [`ListenOptions::not_accepted`].
pub type NotAccepted = Arc<dyn Fn(&io::Error) + Send + Sync>;

/// How often it is logged that connections cannot be accepted. The listener tries many times a second, and the log
/// may be on a disk that is short too.
const LOG_NOT_ACCEPTED_EVERY: Duration = Duration::from_secs(10);

/// What TLS holds of what it has encrypted and the other side does not take.
const TLS_BUFFER_BYTES_MAX: usize = 32 * 1024;

/// The most bytes that a client sends in one step of a handshake, whose last has a record of the request behind it. TLS
/// itself would take a message of 64 KiB and hold what came of it; those of browsers have 2.
const HANDSHAKE_STEP_BYTES_MAX: usize = 24 * 1024;

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            clock: Clock::system(),
            connections_max: 4096,
            header_bytes_max: 64 * 1024,
            header_read_timeout: Duration::from_secs(60),
            write_stall_timeout: Duration::from_secs(60),
            handshake_timeout: Duration::from_secs(10),
            shutdown_grace: Duration::from_secs(30),
            trusted_proxies: TrustedProxies::default(),
            tls: None,
            not_accepted: None,
            request_log: RequestLog::Off,
            sent_bytes: metrics::Counter::noop(),
        }
    }
}

/// Accepts connections until `stop` is ready, then lets requests under way end within the grace. Returns
/// when every connection has ended or the grace is over.
pub async fn listen<S, B>(
    listener: TcpListener,
    service: S,
    options: ListenOptions,
    stop: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let places = ConnectionPlaces::new(options.connections_max, &options.clock);
    let room = ReadRoom::new(options.connections_max, options.header_bytes_max);
    let shared = Arc::new(Listening { options, places, room });
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    let mut logged = None;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = accept(&listener, &shared, &mut logged) => accepted,
        };
        let Some(accepted) = accepted else { continue };
        tokio::spawn(serve(accepted, service.clone(), Arc::clone(&shared), graceful.watcher()));
    }
    drop(listener);
    let options = &shared.options;
    if options.clock.timeout(options.shutdown_grace, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut off when the grace was over");
    }
}

/// What all connections of one listener share.
struct Listening {
    options: ListenOptions,
    places: ConnectionPlaces,
    room: Arc<ReadRoom>,
}

/// When a connection is served.
enum Turn {
    /// There was a place for it at once.
    Now(ConnectionPlace),
    /// It may wait for one.
    Later(OwnedSemaphorePermit),
}

/// A connection that came and has a place or may wait for one.
struct Accepted {
    stream: TcpStream,
    address: SocketAddr,
    activity: Arc<Activity>,
    turn: Turn,
    socket: OwnedSemaphorePermit,
}

async fn accept(
    listener: &TcpListener,
    shared: &Listening,
    logged: &mut Option<Instant>,
) -> Option<Accepted> {
    let (places, clock) = (&shared.places, &shared.options.clock);
    let socket = places.socket().await?;
    match listener.accept().await {
        Ok((stream, address)) => {
            let (address, activity) = (canonical(address), Activity::begins(clock));
            let turn = match places.take(address.ip().into(), &activity) {
                Some(place) => Turn::Now(place),
                // Closed here and not in a task: until one ran, a burst would hold the descriptors of files.
                None => Turn::Later(places.may_wait().or_else(|| {
                    tracing::debug!(%address, "a connection was closed: as many as may be are open and waiting");
                    None
                })?),
            };
            Some(Accepted { stream, address, activity, turn, socket })
        }
        Err(error) => {
            // Out of descriptors, most often: waiting is what helps, ending the loop is not.
            if logged.is_none_or(|last| clock.since(last) > LOG_NOT_ACCEPTED_EVERY) {
                *logged = Some(clock.monotonic());
                tracing::warn!(%error, "a connection could not be accepted");
            }
            if let Some(told) = &shared.options.not_accepted {
                told(&error);
            }
            clock.sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// Serves one connection until it ends, or has to give way to another.
async fn serve<S, B>(accepted: Accepted, service: S, shared: Arc<Listening>, watcher: Watcher)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let Accepted { stream, address, activity, turn, socket: _until_closed } = accepted;
    let place = match turn {
        Turn::Now(place) => Some(place),
        Turn::Later(waits) => {
            let time_max = shared.options.handshake_timeout;
            shared.places.wait(waits, address.ip().into(), &activity, time_max).await
        }
    };
    let Some(place) = place else {
        return tracing::warn!(%address, "a connection was closed: as many as may be are open");
    };
    tokio::select! {
        biased;
        () = activity.wanted() => tracing::debug!(%address, "a connection gave way to another"),
        () = begin(stream, address, &place, &activity, service, &shared, watcher) => {}
    }
}

/// Finds out for whom the connection speaks, shakes hands and answers its requests.
async fn begin<S, B>(
    stream: TcpStream,
    address: SocketAddr,
    place: &ConnectionPlace,
    activity: &Arc<Activity>,
    service: S,
    shared: &Listening,
    watcher: Watcher,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let options = &shared.options;
    let local = stream.local_addr().map_or(Peer::default().local, canonical);
    let (client, mut stream) = match behind_proxy(stream, address, options).await {
        Ok(found) => found,
        Err(error) => return tracing::debug!(%address, %error, "a proxy's connection did not begin well"),
    };
    place.rehome(client.into());
    let peer = Peer { address, client, local, secure: options.tls.is_some() };
    let Some(tls) = &options.tls else {
        return converse(stream, peer, activity, service, shared, watcher).await;
    };
    stream.read_in_steps_of(HANDSHAKE_STEP_BYTES_MAX);
    let handshake = TlsAcceptor::from(Arc::clone(tls))
        .accept_with(stream, |session| session.set_buffer_limit(Some(TLS_BUFFER_BYTES_MAX)));
    match options.clock.timeout(options.handshake_timeout, handshake).await {
        Ok(Ok(mut stream)) => {
            stream.get_mut().0.read_on();
            converse(stream, peer, activity, service, shared, watcher).await;
        }
        Ok(Err(error)) => tracing::debug!(%address, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
    }
}

/// The client's address as the connection itself tells it: a trusted proxy may say it in front of all else.
async fn behind_proxy(
    stream: TcpStream,
    address: SocketAddr,
    options: &ListenOptions,
) -> io::Result<(IpAddr, ReadAheadStream<TcpStream>)> {
    if !options.trusted_proxies.trust(address.ip()) {
        return Ok((address.ip(), ReadAheadStream::nothing(stream)));
    }
    let header = options.clock.timeout(options.header_read_timeout, proxy_protocol::take(stream));
    let (source, stream) = header.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok((source.unwrap_or(address.ip()), stream))
}

/// An IPv4 address that came over an IPv6 socket, as the IPv4 address it is.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Answers the requests of one connection.
async fn converse<T, S, B>(
    stream: T,
    peer: Peer,
    activity: &Arc<Activity>,
    service: S,
    shared: &Listening,
    watcher: Watcher,
) where
    T: AsyncRead + AsyncWrite + Unpin + 'static,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let options = &shared.options;
    let service = service_fn(|mut request: Request<Incoming>| {
        let client = options.trusted_proxies.client(peer.client, request.headers());
        let peer = Peer { client, ..peer };
        request.extensions_mut().insert(peer);
        let line = request_log::Line::begin(&options.clock, options.request_log, &mut request, peer);
        let sent = options.sent_bytes.clone();
        let (under_way, answer) = (activity.request(), service.call(request));
        async move {
            let answer = answer.await;
            drop(under_way);
            answer.map(|response| request_log::attach(line, sent, response))
        }
    });
    let stream = BoundedReads::new(stream, &shared.room, peer.client.into(), activity);
    let stream =
        WriteStall::new(stream, options.clock.clone(), options.write_stall_timeout, Arc::clone(activity));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(ConnectionTimer(options.clock.clone()))
        .header_read_timeout(options.header_read_timeout)
        .max_buf_size(options.header_bytes_max)
        // The answers bring the injected clock's date.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(address = %peer.address, %error, "a connection ended early");
    }
}
