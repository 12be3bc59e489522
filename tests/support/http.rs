//! A small HTTP client over TCP: one request on a connection of its own, as plain as can be.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::PATIENCE;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case, in the order in which they came.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    /// The first header of this name, which is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known == name);
        header.map(|(_, value)| value.as_str())
    }

    /// The body, which must be JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON, got {self:?}"))
    }

    /// `X-Consul-Index`, which must be there.
    pub(crate) fn index(&self) -> u64 {
        let index = self.header("x-consul-index");
        let index = index.and_then(|text| text.parse().ok());
        index.unwrap_or_else(|| panic!("an index, got {self:?}"))
    }
}

/// Asks who listens at `address`, `IP:PORT`, and must answer.
pub(crate) fn get(address: &str, path: &str) -> Response {
    let address = address.parse().expect("an address and a port");
    request(address, "GET", path, &[], "", PATIENCE)
        .unwrap_or_else(|error| panic!("cannot GET {path} from {address}: {error}"))
}

/// The same of one who may be gone.
pub(crate) fn try_get(address: SocketAddr, path: &str) -> io::Result<Response> {
    request(address, "GET", path, &[], "", PATIENCE)
}

/// `limit` bounds each read and write, so a silent server is an error and not a hang.
pub(super) fn request(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
    limit: Duration,
) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    // HTTP/1.0: the end of the connection is the end of the body, which then needs no decoding.
    let mut text = format!(
        "{method} {target} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        // Writing to a String cannot fail.
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body);
    stream.write_all(text.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer)).ok_or_else(|| {
        let text = format!(
            "the answer is not HTTP: {}",
            String::from_utf8_lossy(&answer)
        );
        io::Error::other(text)
    })
}

fn parse(answer: &str) -> Option<Response> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    Some(Response {
        status,
        headers: headers.collect(),
        body: body.to_owned(),
    })
}
