//! One request and its answer, within its limits.

use std::error::Error;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes};
use reqwest::StatusCode;

use crate::events::Failure;

use super::limits::ERROR_ANSWER;
use super::outcome::Telling;
use super::request::Request;
use super::session::Session;

/// The header that says what to wait on next.
const INDEX: &str = "x-consul-index";

/// An answer, whatever it says.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) index: Option<u64>,
    /// Whole for a success; for anything else as much as can be shown.
    pub(super) body: Vec<u8>,
}

/// Sends a request and reads its answer. Dropping it closes the connection.
pub(super) async fn exchange(
    session: &Session,
    request: Request,
    telling: &Telling<'_>,
) -> Result<Reply, Failure> {
    let (time, most) = (request.time, request.most);
    let mut builder = session
        .http
        .request(request.method, format!("{}{}", session.base, request.path))
        .headers(session.headers.clone());
    if let Some(body) = request.body {
        builder = builder.body(body);
    }
    let whole = async {
        let response = builder.send().await;
        let response = response.map_err(|error| telling.broken(&error))?;
        read(response.into(), most, telling).await
    };
    match tokio::time::timeout(time, whole).await {
        Ok(reply) => reply,
        Err(_) => Err(telling.late(time)),
    }
}

/// Reads an answer: of a success the whole body, unless it is more than `most`; of anything else what can be shown.
pub(super) async fn read<B>(
    response: hyper::Response<B>,
    most: usize,
    telling: &Telling<'_>,
) -> Result<Reply, Failure>
where
    B: Body<Data = Bytes, Error: Error + 'static> + Unpin,
{
    let status = response.status();
    let index = response.headers().get(INDEX);
    let index = index.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    if status.is_success() {
        let promised = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
        if promised > most {
            return Err(telling.too_large(most));
        }
        body.reserve_exact(promised);
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| telling.broken(&error))?;
            // Trailers say nothing here.
            let data = frame.into_data().unwrap_or_default();
            if body.len() + data.len() > most {
                return Err(telling.too_large(most));
            }
            body.extend_from_slice(&data);
        }
    } else {
        // It may be endless, or break off: its status has been said.
        while body.len() < ERROR_ANSWER
            && let Some(Ok(frame)) = incoming.frame().await
        {
            body.extend_from_slice(&frame.into_data().unwrap_or_default());
        }
        body.truncate(ERROR_ANSWER);
    }
    Ok(Reply {
        status,
        index,
        body,
    })
}
