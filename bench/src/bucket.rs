//! Makes the bucket that a run works in: one signed PUT.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use anyhow::bail;
use clap::Args;

use crate::signing::AccessKey;
use crate::wall_clock;

/// The flags of `create-bucket`.
#[derive(Args)]
pub(crate) struct BucketOptions {
    /// Host and port of the server.
    #[arg(long)]
    endpoint: String,
    /// The access key's id.
    #[arg(long, default_value = "bench")]
    access_key_id: String,
    /// The access key's secret, made up for the run.
    #[arg(long, default_value = "benchsecret")]
    access_key_secret: String,
    /// The bucket.
    #[arg(long, default_value = "bench")]
    bucket: String,
}

/// Sends the request and wants a 200.
pub(crate) fn create(options: &BucketOptions) -> anyhow::Result<()> {
    let key = AccessKey { id: options.access_key_id.clone(), secret: options.access_key_secret.clone() };
    let (date, resource) = (wall_clock::http_date(), format!("/{}/", options.bucket));
    let authorization = key.authorization_v1("PUT", "", &date, &resource);
    let mut socket = TcpStream::connect(&options.endpoint)?;
    write!(
        socket,
        "PUT {resource} HTTP/1.1\r\nHost: {}\r\nDate: {date}\r\nAuthorization: {authorization}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n",
        options.endpoint
    )?;
    let answer: Vec<String> = BufReader::new(socket).lines().map_while(Result::ok).collect();
    match answer.first() {
        Some(status) if status.contains(" 200 ") => Ok(()),
        _ => bail!("the bucket was not made: {}", answer.join(" ")),
    }
}
