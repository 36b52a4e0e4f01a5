//! A small HTTP client for calls between services: JSON in, JSON out, plain HTTP/1.1.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

#[derive(Debug)]
pub enum CallError {
    /// Nobody was reached: the call had no effect and may go to somebody else.
    Unreachable(String),
    /// The call may have had an effect.
    Failed(String),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Unreachable(message) | Self::Failed(message)) = self;
        f.write_str(message)
    }
}

/// Asks `url` by GET, or by POST where there is a body, and returns status and JSON document.
pub async fn call(
    url: &str,
    body: Option<&Value>,
    limit: Duration,
) -> Result<(u16, Value), CallError> {
    let uri: Uri =
        url.parse().map_err(|error| CallError::Unreachable(format!("{url}: {error}")))?;
    let stream = tokio::time::timeout(limit, connect(&uri))
        .await
        .map_err(|_| CallError::Unreachable(format!("{url}: no connection in {limit:?}")))?
        .map_err(|error| CallError::Unreachable(format!("{url}: {error}")))?;
    tokio::time::timeout(limit, exchange(stream, &uri, body))
        .await
        .map_err(|_| CallError::Failed(format!("{url}: no answer in {limit:?}")))?
        .map_err(|error| CallError::Failed(format!("{url}: {error}")))
}

async fn connect(uri: &Uri) -> std::io::Result<TcpStream> {
    let host = uri.host().unwrap_or_default();
    TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await
}

async fn exchange(
    stream: TcpStream,
    uri: &Uri,
    body: Option<&Value>,
) -> Result<(u16, Value), Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends by itself when the sender is dropped.
    tokio::spawn(connection);
    let request = Request::builder()
        .method(if body.is_some() { "POST" } else { "GET" })
        .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await?.to_bytes();
    let document = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    Ok((status, document))
}
