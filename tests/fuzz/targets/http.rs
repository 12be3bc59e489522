//! One connection with any bytes in it, and what a server may say to them.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// A server that needs longer hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// An answer that came as a whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: Vec<u8>,
}

/// Sends `bytes`, in two pieces if they are odd in number, closes the sending half and reads to the end. `None`: it came
/// to no end within `patience`.
pub(super) async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &[u8],
    patience: Duration,
) -> Option<Vec<u8>> {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let cut = if bytes.len() % 2 == 1 {
        bytes.len() / 2
    } else {
        0
    };
    let (first, second) = bytes.split_at(cut);
    let write = async {
        // A server that has seen enough closes early.
        let _ = writing.write_all(first).await;
        tokio::task::yield_now().await;
        let _ = writing.write_all(second).await;
        let _ = writing.shutdown().await;
    };
    let mut answer = Vec::new();
    let read = async {
        let _ = reading.read_to_end(&mut answer).await;
    };
    let both = async { tokio::join!(write, read) };
    let done = timeout(patience, both).await.is_ok();
    done.then_some(answer)
}

impl Answer {
    /// Takes the first answer off `bytes`, of which every byte has to belong to one.
    pub(super) fn take(bytes: &mut &[u8], is_head: bool) -> Answer {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("an answer without a whole head: {text:?}"));
        let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
        let version = ["HTTP/1.1 ", "HTTP/1.0 "];
        let status = version.iter().find_map(|it| head.strip_prefix(it));
        let status = status.and_then(|it| it.get(..3)?.parse().ok());
        let status = status.unwrap_or_else(|| panic!("an answer without a status: {text:?}"));
        let mut answer = Answer {
            status,
            head: head.to_owned(),
            body: Vec::new(),
        };
        let rest = &bytes[end + 4..];
        let has_body = !(is_head || status < 200 || status == 204 || status == 304);
        let length = if !has_body {
            0
        } else if let Some(length) = answer.header("content-length") {
            length.parse().expect("a length is a number")
        } else if answer.header("transfer-encoding").is_some() {
            let end = rest.windows(5).position(|it| it == b"0\r\n\r\n");
            end.expect("a chunked body ends") + 5
        } else {
            rest.len()
        };
        assert!(length <= rest.len(), "a body is cut off: {text:?}");
        answer.body = rest[..length].to_vec();
        *bytes = &rest[length..];
        answer
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(super) fn is_json(&self) -> bool {
        let kind = self.header("content-type");
        kind.is_some_and(|kind| kind.starts_with("application/json"))
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let read = serde_json::from_slice(&self.body);
        read.unwrap_or_else(|error| {
            panic!(
                "no JSON: {error}: {:?}",
                String::from_utf8_lossy(&self.body)
            )
        })
    }
}
