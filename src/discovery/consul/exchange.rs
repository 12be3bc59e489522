//! One request and its answer, within its limits.

use reqwest::{Response, StatusCode};

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
        let response = builder
            .send()
            .await
            .map_err(|error| telling.broken(&error))?;
        let status = response.status();
        let index = response.headers().get(INDEX);
        let index = index.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let body = if status.is_success() {
            read(response, most, telling).await?
        } else {
            start(response).await
        };
        Ok(Reply {
            status,
            index,
            body,
        })
    };
    match tokio::time::timeout(time, whole).await {
        Ok(reply) => reply,
        Err(_) => Err(telling.late(time)),
    }
}

/// The whole body, of which never more than `most` is held.
async fn read(
    mut response: Response,
    most: usize,
    telling: &Telling<'_>,
) -> Result<Vec<u8>, Failure> {
    let promised = response.content_length().unwrap_or_default();
    let promised = usize::try_from(promised).unwrap_or(usize::MAX);
    if promised > most {
        return Err(telling.too_large(most));
    }
    let mut body = Vec::with_capacity(promised);
    while let Some(chunk) = response.chunk().await.map_err(|e| telling.broken(&e))? {
        if body.len() + chunk.len() > most {
            return Err(telling.too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The start of a body that is only shown. That it breaks off does not matter: the status has said enough.
async fn start(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < ERROR_ANSWER
        && let Ok(Some(chunk)) = response.chunk().await
    {
        let room = ERROR_ANSWER - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    body
}
