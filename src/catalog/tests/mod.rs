//! The server at its edges, over real sockets. What it answers is in the contract of `tests/`, which runs against a
//! Consul too.

mod edges;
mod waiting;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::limits::EdgeLimits;
use super::server::{Handle, bind};
use super::settings::Settings;
use super::shared::Shared;
use super::tables::Limits;

/// Long for a machine under load, short beside the limit of a test.
const PATIENCE: Duration = Duration::from_secs(10);

/// A limit for what must not happen: the test passes as soon as the wait has failed.
const SHORT: Duration = Duration::from_millis(50);

/// A running catalogue on a free port.
struct Fixture {
    handle: Handle,
    shared: Arc<Shared>,
}

/// A connection that is written to by hand.
struct Client {
    stream: TcpStream,
}

/// Limits that a test need not wait long for.
const BRIEF: EdgeLimits = EdgeLimits {
    head: Duration::from_millis(100),
    body: Duration::from_millis(100),
    ..EdgeLimits::DEFAULT
};

impl Fixture {
    fn start() -> Fixture {
        Fixture::within(EdgeLimits::DEFAULT)
    }

    fn within(edge: EdgeLimits) -> Fixture {
        Fixture::at("127.0.0.1:0", edge)
    }

    fn at(address: &str, edge: EdgeLimits) -> Fixture {
        let settings = Settings {
            bind: address.parse().unwrap(),
            ..Settings::default()
        };
        let catalog = bind(settings).unwrap();
        let (handle, shared) = catalog.serve_within(edge, Limits::DEFAULT).unwrap();
        Fixture { handle, shared }
    }

    fn address(&self) -> SocketAddr {
        let port = self.handle.local_addr().port();
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address()).await.unwrap();
        Client { stream }
    }

    /// One request on a connection of its own; the whole answer.
    async fn ask(&self, request: &str) -> String {
        let mut client = self.connect().await;
        client.write(&asked(request)).await;
        client.rest().await
    }

    async fn put(&self, path: &str, body: &str) {
        let length = body.len();
        let answer = self
            .ask(&format!("PUT {path}\nContent-Length: {length}\n\n{body}"))
            .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }

    /// Waits until so many queries wait.
    async fn wait_waiting(&self, count: usize) {
        let reached = async {
            while self.shared.waiting() != count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let came = timeout(PATIENCE, reached).await.is_ok();
        assert!(came, "{count} waiting, got {}", self.shared.waiting());
    }
}

impl Client {
    /// The server may close meanwhile; its answer tells.
    async fn write(&mut self, text: &str) {
        let _ = self.stream.write_all(text.as_bytes()).await;
    }

    /// All that comes until the server closes.
    async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut bytes)).await;
        // A reset is an end too.
        let _ = read.expect("the server closes");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// One answer with a body of known length; the connection stays.
    async fn answer(&mut self) -> String {
        timeout(PATIENCE, self.read_answer())
            .await
            .expect("an answer")
    }

    async fn read_answer(&mut self) -> String {
        let mut text = String::new();
        loop {
            let mut bytes = [0; 1_024];
            let count = self.stream.read(&mut bytes).await.unwrap();
            assert!(count > 0, "closed after {text:?}");
            text.push_str(&String::from_utf8_lossy(&bytes[..count]));
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("Content-Length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return text;
            }
        }
    }
}

/// A request that ends its connection, from a line such as `GET /path` and headers and a body below it.
fn asked(text: &str) -> String {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let first = format!("{first} HTTP/1.1");
    let mut head = vec![first.as_str(), "Connection: close"];
    head.extend(lines);
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}
