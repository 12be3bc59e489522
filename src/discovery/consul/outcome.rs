//! What the end of a request means, as a [`Failure`] with a text for people.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;
use rustls::CertificateError;

use crate::events::Failure;

use super::exchange::Reply;
use super::secret::Secret;
use super::settings::Settings;

/// The longest text, in characters.
const LONGEST: usize = 200;

/// Who tells of a failure: what was being done, to whom, and what must not be in the text.
#[derive(Debug)]
pub(super) struct Telling<'t> {
    pub(super) doing: &'static str,
    pub(super) settings: &'t Settings,
    pub(super) secrets: &'t [Secret],
}

impl Telling<'_> {
    /// The text: one line, bounded, and without a secret (L12).
    fn text(&self, reason: &str) -> String {
        let target = &self.settings.target;
        self.clean(&format!(
            "cannot {} Consul at `{target}`: {reason}",
            self.doing
        ))
    }

    fn clean(&self, text: &str) -> String {
        let scrub = |text, secret: &Secret| secret.scrub(text);
        let text = self.secrets.iter().fold(text.to_owned(), scrub);
        let mut clean = String::new();
        let mut room = LONGEST;
        for character in text.chars() {
            let shown: Vec<char> = if character.is_control() {
                character.escape_default().collect()
            } else {
                vec![character]
            };
            let Some(left) = room.checked_sub(shown.len()) else {
                clean.push('…');
                break;
            };
            room = left;
            clean.extend(shown);
        }
        clean
    }

    /// No answer within the time.
    pub(super) fn late(&self, time: Duration) -> Failure {
        let time = humantime::format_duration(Duration::from_millis(
            u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        ));
        Failure::Unreachable(self.text(&format!("no answer within {time}")))
    }

    /// It works, and cannot serve now.
    pub(super) fn busy(&self, reason: &str) -> Failure {
        Failure::Busy(self.text(reason))
    }

    /// More than is held.
    pub(super) fn too_large(&self, most: usize) -> Failure {
        Failure::Unreadable(self.text(&format!("the answer has more than {most} bytes")))
    }

    /// An answer that is not what was asked for.
    pub(super) fn unreadable(&self, reason: &str) -> Failure {
        Failure::Unreadable(self.text(&format!("cannot read the answer: {reason}")))
    }

    /// There is nobody, for this reason.
    pub(super) fn unreachable(&self, reason: &str) -> Failure {
        Failure::Unreachable(self.text(reason))
    }

    /// The connection failed, or what came over it is no HTTP.
    pub(super) fn broken(&self, error: &(dyn Error + 'static)) -> Failure {
        let of_client = error.downcast_ref::<reqwest::Error>();
        if of_client.is_some_and(reqwest::Error::is_builder) {
            // A name so long that no URL takes it.
            return Failure::Rejected(self.text(&innermost(error)));
        }
        if is_nonsense(error) {
            return Failure::Unreadable(self.text(&format!("no HTTP: {}", innermost(error))));
        }
        if let Some(error) = find::<rustls::Error>(error) {
            return Failure::Unreachable(self.text(&self.tls(error)));
        }
        if of_client.is_some_and(reqwest::Error::is_timeout) {
            return self.unreachable("no connection in time");
        }
        Failure::Unreachable(self.text(&innermost(error)))
    }

    fn tls(&self, error: &rustls::Error) -> String {
        let rustls::Error::InvalidCertificate(wrong) = error else {
            return error.to_string();
        };
        match wrong {
            // The second: an authority of the same name with another key, as after it was made anew.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                let tls = &self.settings.tls;
                match tls.ca_file.as_ref().or(tls.ca_path.as_ref()) {
                    Some(path) => format!(
                        "its certificate is from no authority in `{}` (consul.tls.cafile)",
                        path.display()
                    ),
                    None => "its certificate is from no authority that the system knows: \
                             set consul.tls.cafile"
                        .to_owned(),
                }
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name: set consul.tls.servername".to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired".to_owned()
            }
            _ => format!("its certificate cannot be verified: {error}"),
        }
    }

    /// What a status says that is no success.
    pub(super) fn refused(&self, reply: &Reply) -> Failure {
        let body = String::from_utf8_lossy(&reply.body);
        let body = body.trim();
        let status = reply.status;
        let says = match body {
            "" => format!("status {}", status.as_u16()),
            body => format!("status {}: {body}", status.as_u16()),
        };
        let is_server_error = status.is_server_error();
        if status.is_redirection() {
            return Failure::Unreadable(self.text(&format!(
                "it redirects (status {}), which is not followed",
                status.as_u16()
            )));
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            || is_server_error && is_denial(body)
        {
            let help = if self.secrets.is_empty() {
                "no token is configured"
            } else {
                "check the token and its policy"
            };
            return Failure::Denied(self.text(&format!("{says} ({help})")));
        }
        if (is_server_error || status == StatusCode::NOT_FOUND) && is_unknown(body) {
            return Failure::Unknown(self.text(&says));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Failure::Crowded(self.text(&says));
        }
        if is_server_error {
            return Failure::Busy(self.text(&says));
        }
        if status == StatusCode::BAD_REQUEST && self.is_about_scope(body) {
            return Failure::Rejected(self.text(
                "it is not Consul Enterprise, which alone has namespaces and partitions: \
                 remove `namespace` and `partition`",
            ));
        }
        if status == StatusCode::BAD_REQUEST {
            return Failure::Rejected(self.text(&says));
        }
        // Any other one is not Consul's answer to what is asked here; whoever gave it may not do so again.
        Failure::Unreadable(self.text(&says))
    }

    /// C19. Consul: `Invalid query parameter: "ns" - Namespaces is a Consul Enterprise feature`.
    fn is_about_scope(&self, body: &str) -> bool {
        let is_set = self.settings.namespace.is_some() || self.settings.partition.is_some();
        is_set && body.contains("Enterprise")
    }
}

/// Texts by which Consul says that its access control does not permit it; some versions send them with 500.
fn is_denial(body: &str) -> bool {
    body.contains("Permission denied") || body.contains("ACL not found")
}

/// Texts by which Consul says that it does not have what the call is about. 1.8: `CheckID "service:x" does not have
/// associated TTL` with 500; later: `Unknown check ID "service:x". …` and `Unknown service ID "x". …` with 404; of a
/// service that is asked for: `unknown service ID: x`.
fn is_unknown(body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    let texts = [
        "does not have associated ttl",
        "unknown check",
        "unknown service",
    ];
    texts.iter().any(|text| body.contains(text))
}

/// Whether what came is no answer at all, as opposed to one that broke off.
fn is_nonsense(error: &(dyn Error + 'static)) -> bool {
    let parse = find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse);
    let kind = find::<io::Error>(error).map(io::Error::kind);
    let chunks = matches!(
        kind,
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
    );
    parse || chunks && find::<rustls::Error>(error).is_none()
}

/// The causes of an error, outermost first, with what an [`io::Error`] has in it and does not call its source.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

fn find<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// What the system said, without the layers that passed it on.
fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}
