//! `grpc.health.v1.Health/Check` over HTTP/2 with prior knowledge.
//!
//! Written by hand: one request of known form, and an answer of which only the message matters, need neither HPACK's
//! tables nor flow control. A library would be larger than all other probes together.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::connect::{Stream, authority, closed, shown};
use super::failure::Failure;
use super::http::AGENT;
use super::{LONGEST, Prober};
use crate::jobs::Target;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

/// Of `DATA` and `HEADERS`; of `SETTINGS` and `PING` the same bit says that it is an answer.
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// The stream of the one request.
const STREAM: u32 = 1;

/// The status of the health service that passes.
const SERVING: u64 = 1;

pub(super) async fn look(prober: &Prober, target: &Target, service: &str) -> Result<(), Failure> {
    let mut stream = prober.connect(target).await?;
    let result = ask(&mut stream, &authority(target), service).await;
    let status = result.map_err(|error| Failure::of(shown(target), &error))?;
    match status {
        Some(SERVING) => Ok(()),
        Some(other) => Err(Failure::failed(format!(
            "the health service says {}",
            name(other)
        ))),
        None => Err(Failure::failed(
            "no status: the server has no health service, or does not know the service that is asked for",
        )),
    }
}

fn name(status: u64) -> &'static str {
    match status {
        0 => "UNKNOWN",
        2 => "NOT_SERVING",
        3 => "SERVICE_UNKNOWN",
        _ => "something else",
    }
}

/// The status that the server tells; `None` if it ends the request without one.
async fn ask(
    stream: &mut Box<dyn Stream>,
    authority: &str,
    service: &str,
) -> std::io::Result<Option<u64>> {
    let mut out = PREFACE.to_vec();
    put_frame(&mut out, SETTINGS, 0, 0, &[]);
    put_frame(&mut out, HEADERS, END_HEADERS, STREAM, &headers(authority));
    put_frame(&mut out, DATA, END_STREAM, STREAM, &message(service));
    stream.write_all(&out).await?;
    let mut answer = Vec::new();
    let mut read = 0;
    loop {
        let frame = read_frame(stream, LONGEST - read).await?;
        read += 9 + frame.body.len();
        if read >= LONGEST {
            return Err(std::io::Error::other("the answer is too long"));
        }
        match frame.kind {
            DATA if frame.stream == STREAM => answer.extend_from_slice(frame.unpadded()),
            RESET if frame.stream == STREAM => return Ok(None),
            GOAWAY if frame.body.get(4..8) != Some(&[0; 4]) => return Ok(None),
            SETTINGS if frame.flags & ACK == 0 => reply(stream, SETTINGS, &[]).await?,
            PING if frame.flags & ACK == 0 => reply(stream, PING, &frame.body).await?,
            _ => {}
        }
        if let Some(status) = status(&answer) {
            return Ok(Some(status));
        }
        let ends = matches!(frame.kind, DATA | HEADERS) && frame.stream == STREAM;
        if ends && frame.flags & END_STREAM != 0 {
            return Ok(None);
        }
    }
}

async fn reply(stream: &mut Box<dyn Stream>, kind: u8, body: &[u8]) -> std::io::Result<()> {
    let mut out = Vec::new();
    put_frame(&mut out, kind, ACK, 0, body);
    stream.write_all(&out).await
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    body: Vec<u8>,
}

impl Frame {
    fn unpadded(&self) -> &[u8] {
        if self.flags & PADDED == 0 {
            return &self.body;
        }
        let Some((padding, rest)) = self.body.split_first() else {
            return &[];
        };
        let end = rest.len().saturating_sub(usize::from(*padding));
        &rest[..end]
    }
}

async fn read_frame(stream: &mut Box<dyn Stream>, room: usize) -> std::io::Result<Frame> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.map_err(|_| closed())?;
    let [a, b, c, kind, flags, number @ ..] = head;
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    if length > room {
        return Err(std::io::Error::other(
            "the answer is not HTTP/2, or too long",
        ));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(|_| closed())?;
    Ok(Frame {
        kind,
        flags,
        // The highest bit means nothing.
        stream: u32::from_be_bytes(number) & (u32::MAX >> 1),
        body,
    })
}

/// All that is sent is far shorter than a frame may be.
fn put_frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, body: &[u8]) {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&length[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(body);
}

/// The request's headers, none of them to be remembered (RFC 7541, 6.2.2; the numbers are of its static table).
fn headers(authority: &str) -> Vec<u8> {
    // `:method: POST`, `:scheme: http`.
    let mut block = vec![0x83, 0x86];
    block.push(0x04);
    put_text(&mut block, "/grpc.health.v1.Health/Check");
    block.push(0x01);
    put_text(&mut block, authority);
    // `content-type` is number 31 and `user-agent` 58, of which the first four bits hold 15.
    block.extend_from_slice(&[0x0f, 31 - 15]);
    put_text(&mut block, "application/grpc");
    block.extend_from_slice(&[0x0f, 58 - 15]);
    put_text(&mut block, AGENT);
    block.push(0);
    put_text(&mut block, "te");
    put_text(&mut block, "trailers");
    block
}

/// A text as it is, behind its length, of which the first byte holds 127.
fn put_text(block: &mut Vec<u8>, text: &str) {
    let length = text.len();
    block.push(low_byte(length.min(127)));
    if length >= 127 {
        put_varint(block, length - 127);
    }
    block.extend_from_slice(text.as_bytes());
}

fn put_varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 128 {
        out.push(low_byte(number) | 128);
        number >>= 7;
    }
    out.push(low_byte(number));
}

fn low_byte(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

/// `HealthCheckRequest`, behind the five bytes of gRPC.
fn message(service: &str) -> Vec<u8> {
    let mut request = Vec::new();
    if !service.is_empty() {
        request.push(0x0a);
        put_varint(&mut request, service.len());
        request.extend_from_slice(service.as_bytes());
    }
    let mut message = vec![0];
    let length = u32::try_from(request.len()).unwrap_or(u32::MAX);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(&request);
    message
}

/// The status in a `HealthCheckResponse`, once all of it is there. A field that is left out is 0.
fn status(answer: &[u8]) -> Option<u64> {
    let (head, rest) = answer.split_first_chunk::<5>()?;
    let [_, length @ ..] = *head;
    let mut rest = rest.get(..u32::from_be_bytes(length) as usize)?;
    let mut status = 0;
    while !rest.is_empty() {
        let key = take_varint(&mut rest)?;
        match key & 7 {
            0 => {
                let value = take_varint(&mut rest)?;
                if key >> 3 == 1 {
                    status = value;
                }
            }
            1 => rest = rest.get(8..)?,
            2 => {
                let length = usize::try_from(take_varint(&mut rest)?).ok()?;
                rest = rest.get(length..)?;
            }
            5 => rest = rest.get(4..)?,
            _ => return Some(0),
        }
    }
    Some(status)
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Some(number);
        }
    }
    None
}
