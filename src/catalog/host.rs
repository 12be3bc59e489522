//! For whom a request is meant. A web page can make a name of its own point to loopback and have the browser ask there
//! (DNS rebinding); the request then carries that name.

use std::net::IpAddr;

use hyper::header::HOST;
use hyper::{Request, Uri};

/// Whether the request names us by an address, or as `localhost`. One without a name comes from no browser.
pub(super) fn is_ours<B>(request: &Request<B>) -> bool {
    let header = request.headers().get(HOST);
    let in_header = header.is_none_or(|value| value.to_str().is_ok_and(is_local));
    let in_target = host_of(request.uri()).is_none_or(is_local);
    in_header && in_target
}

fn host_of(uri: &Uri) -> Option<&str> {
    uri.authority().map(hyper::http::uri::Authority::as_str)
}

/// `localhost`, `127.0.0.1:8500`, `[::1]:8500`, `::1`.
fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, _)) => inside,
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or(host),
        None => host,
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_addresses_and_localhost_are_ours() {
        for host in [
            "localhost",
            "LocalHost:8500",
            "127.0.0.1",
            "127.0.0.1:1",
            "[::1]:8500",
            "[::1]",
            "::1",
            "10.0.0.1:8500",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "evil.example:8500",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "[evil]:1",
            "[::1",
            "a@127.0.0.1",
        ] {
            assert!(!is_local(host), "{host}");
        }
    }
}
