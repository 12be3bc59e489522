//! `http`, `tcp`, `grpc` and `file` of a check.

use crate::config::duration::SignedDuration;
use crate::config::keys;
use crate::config::section::Section;
use crate::config::tree::Kind;
use crate::config::walk::{DURATION_HELP, Field, Finding, Walk, quoted};
use crate::jobs::{HttpProbe, Probe, Target};

use super::target;

/// What passes unless the file says otherwise; redirects are not followed.
const GOOD: (u16, u16) = (200, 399);

const STATUS_HELP: &str =
    "write a status such as `200`, a range such as `\"200-399\"`, or an array of them";

pub(super) fn tcp(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Probe> {
    target::read(walk, field).map(Probe::Tcp)
}

pub(super) fn grpc(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Probe> {
    let Kind::Object(_) = &field.node.kind else {
        let target = target::read(walk, field)?;
        let service = String::new();
        return Some(Probe::Grpc { target, service });
    };
    let mut section = walk.section(field, &keys::GRPC)?;
    let target = target::from_keys(walk, &mut section, None);
    let service = section.take(walk, "service");
    section.finish(walk);
    let service = match service {
        Some(field) => {
            let name = walk.text(&field)?;
            // What one frame takes; real names have a tenth of it.
            if name.len() > 1024 {
                walk.error(&field.place, "the name of the service is too long");
            }
            name
        }
        None => String::new(),
    };
    Some(Probe::Grpc {
        target: target?,
        service,
    })
}

pub(super) fn file(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Probe> {
    let (path, max_age) = match &field.node.kind {
        Kind::Object(_) => {
            let mut section = walk.section(field, &keys::FILE)?;
            let path = section.take(walk, "path");
            let max_age = section.take(walk, "maxAge");
            let place = section.place.clone();
            section.finish(walk);
            if path.is_none() {
                let finding = Finding::new("`path` is missing");
                walk.error(&place, finding.help("write the path of a file"));
            }
            let age = max_age.as_ref().and_then(|field| walk.duration(field));
            let age = age.map(|age| (age, SignedDuration::positive(age)));
            if let (Some((_, None)), Some(field)) = (age, &max_age) {
                let shown = walk.shown(field.node);
                let finding = Finding::new(format!("cannot use {shown}: must be more than 0"));
                walk.error(&field.place, finding.help(DURATION_HELP));
            }
            (path?, age.and_then(|(_, age)| age))
        }
        _ => (field.clone(), None),
    };
    let text = walk.text(&path)?;
    if text.is_empty() || text.contains('\0') {
        let finding = Finding::new(format!("cannot use {}: not a path", quoted(&text)));
        walk.error(&path.place, finding.help("write the path of a file"));
        return None;
    }
    Some(Probe::File {
        path: text,
        max_age,
    })
}

pub(super) fn http(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Probe> {
    let Kind::Object(_) = &field.node.kind else {
        let (target, path) = read_url(walk, field)?;
        return Some(Probe::Http(plain(target, path)));
    };
    let mut section = walk.section(field, &keys::HTTP)?;
    let probe = read_http(walk, &mut section);
    section.finish(walk);
    probe.map(Probe::Http)
}

fn plain(target: Target, path: String) -> HttpProbe {
    HttpProbe {
        target,
        method: "GET".to_owned(),
        path,
        headers: Vec::new(),
        status: vec![GOOD],
        body: None,
    }
}

fn read_http(walk: &mut Walk<'_>, section: &mut Section<'_>) -> Option<HttpProbe> {
    let scheme = section.take(walk, "scheme");
    let method = section.take(walk, "method");
    let path = section.take(walk, "path");
    let status = section.take(walk, "status");
    let headers = section.take(walk, "headers");
    let body = section.text(walk, "body");
    let url = section.take(walk, "url");
    let place = if let Some(field) = url {
        if let Some(path) = &path {
            let finding = Finding::new("the path stands in `url` already");
            walk.error(&path.place, finding.help("remove one of them"));
        }
        read_url(walk, &field)
    } else {
        let target = target::from_keys(walk, section, Some(80));
        target.map(|target| (target, "/".to_owned()))
    };
    if let Some(field) = scheme {
        let scheme = walk.text(&field)?;
        if scheme != "http" {
            refuse_scheme(walk, &field, &scheme);
            return None;
        }
    }
    let path = path.map(|field| read_path(walk, &field));
    let method = method.map(|field| read_method(walk, &field));
    let status = status.map(|field| read_statuses(walk, &field));
    let headers = headers.map(|field| read_headers(walk, &field));
    let (target, from_url) = place?;
    let good = plain(target, from_url);
    Some(HttpProbe {
        method: method.unwrap_or(Some(good.method))?,
        path: path.unwrap_or(Some(good.path))?,
        status: status.unwrap_or(Some(good.status))?,
        headers: headers.unwrap_or(Some(good.headers))?,
        body: body.filter(|body| !body.is_empty()),
        target: good.target,
    })
}

fn refuse_scheme(walk: &mut Walk<'_>, field: &Field<'_>, scheme: &str) {
    let finding = Finding::new(format!(
        "cannot use {}: checks speak `http` alone",
        quoted(scheme)
    ));
    let help = "check a port that speaks plain HTTP, use `tcp`, or a command in `exec`";
    walk.error(&field.place, finding.help(help));
}

/// `http://host[:port][/path]`.
fn read_url(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<(Target, String)> {
    let text = walk.text(field)?;
    let (scheme, rest) = text.split_once("://").unwrap_or(("", &text));
    if !matches!(scheme, "http" | "") {
        refuse_scheme(walk, field, scheme);
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = path.split('#').next().unwrap_or_default();
    let path = match path {
        "" => "/".to_owned(),
        query if query.starts_with('?') => format!("/{query}"),
        path => path.to_owned(),
    };
    let target = match target::host(authority) {
        Some(host) if scheme == "http" => Some(Target::Port { host, port: 80 }),
        _ if authority.starts_with(['/', '@']) || authority.is_empty() => None,
        _ => target::parse(authority),
    };
    if target.is_none() || !is_path(&path) {
        // It may have a password in it.
        let finding = Finding::new("cannot use the URL of the check");
        let help = "write `http://host:port/path`; what else is to be said goes into `headers`";
        walk.error(&field.place, finding.help(help));
        return None;
    }
    Some((target?, path))
}

fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

fn read_path(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<String> {
    let path = walk.text(field)?;
    if is_path(&path) {
        return Some(path);
    }
    let finding = Finding::new(format!("cannot use {}: not a path", quoted(&path)));
    let help = "begin with `/`; write other than plain characters as `%20`";
    walk.error(&field.place, finding.help(help));
    None
}

fn is_token(text: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(token)
}

fn read_method(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<String> {
    let method = walk.text(field)?;
    if is_token(&method) && method != "CONNECT" {
        return Some(method);
    }
    let finding = Finding::new(format!("cannot use {}: not a method", quoted(&method)));
    walk.error(
        &field.place,
        finding.help("write for example `GET` or `HEAD`"),
    );
    None
}

fn read_headers(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    let mut good = true;
    for (name, field) in walk.pairs(field) {
        let Some(value) = walk.text(&field) else {
            good = false;
            continue;
        };
        let plain = value
            .bytes()
            .all(|byte| byte == b'\t' || byte >= b' ' && byte != 127);
        if is_token(&name) && plain {
            headers.push((name, value));
        } else {
            good = false;
            let finding = Finding::new(format!("cannot send the header {}", quoted(&name)));
            let help = "a name has letters, digits and `-`; a value has no line break";
            walk.error(&field.place, finding.help(help));
        }
    }
    good.then_some(headers)
}

fn read_statuses(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Vec<(u16, u16)>> {
    let fields = match field.node.kind {
        Kind::Array(_) => walk.list(field),
        _ => vec![field.clone()],
    };
    if fields.is_empty() {
        let finding = Finding::new("no status would pass");
        walk.error(&field.place, finding.help(STATUS_HELP));
        return None;
    }
    let ranges: Vec<_> = fields
        .iter()
        .map(|field| read_status(walk, field))
        .collect();
    ranges.into_iter().collect()
}

fn read_status(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<(u16, u16)> {
    let text = walk.text(field)?;
    let (from, to) = text.split_once('-').unwrap_or((&text, &text));
    let status = |text: &str| {
        text.trim()
            .parse()
            .ok()
            .filter(|status| (100..=599).contains(status))
    };
    let range = status(from).zip(status(to)).filter(|(from, to)| from <= to);
    if range.is_none() {
        let finding = Finding::new(format!(
            "cannot use {}: not a status of HTTP",
            quoted(&text)
        ));
        walk.error(&field.place, finding.help(STATUS_HELP));
    }
    range
}
