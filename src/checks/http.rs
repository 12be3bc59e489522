//! HTTP/1.1, one request and its answer.

use std::convert::Infallible;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use super::connect::authority;
use super::failure::Failure;
use super::{LONGEST, Prober};
use crate::jobs::HttpProbe;

/// Who asks.
pub(super) const AGENT: &str = concat!("pilothouse/", env!("CARGO_PKG_VERSION"));

pub(super) async fn look(prober: &Prober, probe: &HttpProbe) -> Result<(), Failure> {
    let request = request(probe).map_err(Failure::failed)?;
    let stream = prober.connect(&probe.target).await?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(LONGEST)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(of_hyper)?;
    // The end of the connection is seen by whoever waits for the answer.
    let drive = async {
        let _ = connection.await;
        std::future::pending::<Infallible>().await
    };
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(of_hyper)?;
        judge(probe, answer).await
    };
    tokio::select! {
        verdict = exchange => verdict,
        never = drive => match never {},
    }
}

fn request(probe: &HttpProbe) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
    let mut request = Request::builder()
        .method(probe.method.as_str())
        .uri(probe.path.as_str())
        .body(Empty::new())?;
    let headers = request.headers_mut();
    for (name, value) in &probe.headers {
        headers.append(
            name.parse::<HeaderName>()?,
            HeaderValue::from_bytes(value.as_bytes())?,
        );
    }
    let defaults = [
        (HOST, authority(&probe.target)),
        (USER_AGENT, AGENT.to_owned()),
        (CONNECTION, "close".to_owned()),
    ];
    for (name, value) in defaults {
        if !headers.contains_key(&name) {
            headers.insert(name, value.try_into()?);
        }
    }
    Ok(request)
}

async fn judge(probe: &HttpProbe, answer: Response<Incoming>) -> Result<(), Failure> {
    let status = answer.status().as_u16();
    let passes = |(from, to): &(u16, u16)| (*from..=*to).contains(&status);
    if !probe.status.iter().any(passes) {
        return Err(Failure::failed(format!("answered with status {status}")));
    }
    let Some(wanted) = &probe.body else {
        return Ok(());
    };
    let found = contains(answer.into_body(), wanted.as_bytes()).await?;
    if found {
        return Ok(());
    }
    Err(Failure::failed(format!(
        "status {status}, and the answer does not contain `{wanted}`"
    )))
}

/// Whether the beginning of the body has these bytes in it. What comes after them is not waited for.
async fn contains(mut body: Incoming, wanted: &[u8]) -> Result<bool, Failure> {
    let mut read: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(of_hyper)?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        let room = LONGEST - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
        if memchr::memmem::find(&read, wanted).is_some() {
            return Ok(true);
        }
        if read.len() >= LONGEST {
            break;
        }
    }
    Ok(false)
}

/// With the causes: on its own the text says only which step it was.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn of_hyper(error: hyper::Error) -> Failure {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    Failure::failed(text)
}
