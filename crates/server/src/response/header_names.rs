//! Writes the names of an answer's headers as OSS writes them: `ETag`, `Content-MD5`, `x-oss-request-id`.
//!
//! Their letter case means nothing, but some clients compare it. The HTTP library writes names in lower case unless an
//! answer has an extension with other spellings, and only its own parser makes this extension. So one answer with all
//! the right names is parsed once, and every answer gets what came of it.
//!
//! Clauses GEN-3.

use bytes::Bytes;
use http::{Extensions, Request};
use http_body_util::Empty;
use hyper::client::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::sync::OnceCell;

/// An answer with every header that this store sends and that OSS does not write in lower case.
const ANSWER: &str = "HTTP/1.1 200 OK\r\n\
    Accept-Ranges: a\r\n\
    Access-Control-Allow-Headers: a\r\n\
    Access-Control-Allow-Methods: a\r\n\
    Access-Control-Allow-Origin: a\r\n\
    Access-Control-Expose-Headers: a\r\n\
    Access-Control-Max-Age: a\r\n\
    Allow: a\r\n\
    Cache-Control: a\r\n\
    Connection: close\r\n\
    Content-Disposition: a\r\n\
    Content-Encoding: a\r\n\
    Content-Language: a\r\n\
    Content-Length: 0\r\n\
    Content-MD5: a\r\n\
    Content-Range: a\r\n\
    Content-Security-Policy: a\r\n\
    Content-Type: a\r\n\
    Date: a\r\n\
    ETag: a\r\n\
    Expires: a\r\n\
    Last-Modified: a\r\n\
    Location: a\r\n\
    Retry-After: a\r\n\
    Server: a\r\n\
    Vary: a\r\n\
    X-Content-Type-Options: a\r\n\
    \r\n";

/// The spellings, once they are known.
#[derive(Debug, Default)]
pub(crate) struct HeaderNames(OnceCell<Extensions>);

impl HeaderNames {
    /// Has an answer's headers written in OSS's spelling.
    pub(crate) async fn spell(&self, answer: &mut Extensions) {
        answer.extend(self.0.get_or_init(parse).await.clone());
    }
}

async fn parse() -> Extensions {
    match exchange().await {
        Ok(spellings) => spellings,
        // Lower case is as right by the letter.
        Err(error) => {
            tracing::error!(%error, "the spelling of header names cannot be made");
            Extensions::new()
        }
    }
}

/// Asks for the answer over a pipe in memory.
async fn exchange() -> Result<Extensions, Box<dyn std::error::Error + Send + Sync>> {
    let (near, mut far) = duplex(ANSWER.len());
    let (mut sender, connection) =
        Builder::new().preserve_header_case(true).handshake(TokioIo::new(near)).await?;
    tokio::spawn(connection);
    let answering = async {
        // The request's first bytes are enough to know that it was sent.
        far.read_u8().await?;
        far.write_all(ANSWER.as_bytes()).await
    };
    let (answer, written) = tokio::join!(sender.send_request(Request::new(Empty::<Bytes>::new())), answering);
    written?;
    Ok(answer?.into_parts().0.extensions)
}
