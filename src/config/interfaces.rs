//! Interface specifications: which of the machine's addresses is advertised.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use ipnet::IpNet;

use super::tree::Kind;
use super::walk::{Field, Finding, Walk, quoted};

/// An address of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The interface that has it.
    pub name: String,
    /// The address.
    pub address: IpAddr,
}

/// The addresses that specifications are matched with.
#[derive(Clone, Copy)]
pub enum Addresses<'a> {
    /// Nobody looks: only the grammar is checked.
    NotLookedUp,
    /// Gives all interfaces with all their addresses, in any order. Called only when something is advertised, which
    /// spares every other start the question to the kernel.
    Lookup(&'a dyn Fn() -> Rc<[InterfaceAddress]>),
}

impl fmt::Debug for Addresses<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Addresses::NotLookedUp => "NotLookedUp",
            Addresses::Lookup(_) => "Lookup",
        })
    }
}

/// One specification.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Spec {
    /// `inet`, `inet6`: the first address of the family that is not loopback.
    Any(Family),
    /// `inet:public`: the first IPv4 address that the whole world can reach.
    Public,
    /// `NAME`, `NAME:inet`, `NAME:inet6`.
    Named(String, Family),
    /// `NAME[i]`, both families counted together.
    Indexed(String, usize),
    /// `10.0.0.0/16`.
    Network(IpNet),
    /// `static:ADDR`.
    Static(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

/// What specifications came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// An address.
    Address(IpAddr),
    /// `static:` text that is no IP address.
    Text(String),
    /// Nobody looked, or what is wrong has been reported.
    Open,
    /// No address matches; the message says what was wanted and what there is.
    NoMatch(String),
}

/// What is used where a configuration says nothing, or has an empty list.
const DEFAULT: [&str; 2] = ["eth0:inet", "inet"];

const HELP: &str = "write `eth0`, `eth0:inet6`, `eth0[1]`, `inet`, `inet6`, `inet:public`, a network such as `10.0.0.0/16`, or \
                    `static:` and an address";

/// A choice and the specifications that it was made by.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) choice: Choice,
    pub(super) specifications: Vec<String>,
}

/// Reads `interfaces` (a text or an array of texts) and picks the address. Wrong specifications are reported, all of them.
pub(super) fn choose(
    walk: &mut Walk<'_>,
    field: Option<&Field<'_>>,
    addresses: Addresses<'_>,
) -> Chosen {
    let read = field.map_or_else(|| Some(Vec::new()), |field| read(walk, field));
    let Some(mut specifications) = read else {
        return Chosen {
            choice: Choice::Open,
            specifications: Vec::new(),
        };
    };
    if specifications.is_empty() {
        specifications = DEFAULT.map(str::to_owned).into();
    }
    Chosen {
        choice: pick(&specifications, addresses),
        specifications,
    }
}

/// The address that these specifications choose among the host's present ones; `None` when none matches. For another look
/// at a later time: specifications that were never checked match nothing.
#[must_use]
pub fn choose_again(
    specifications: &[String],
    addresses: &Rc<[InterfaceAddress]>,
) -> Option<IpAddr> {
    let look_up = || Rc::clone(addresses);
    match pick(specifications, Addresses::Lookup(&look_up)) {
        Choice::Address(address) => Some(address),
        Choice::Text(_) | Choice::Open | Choice::NoMatch(_) => None,
    }
}

/// The specifications as written; `None` if one is wrong.
fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> Option<Vec<String>> {
    let elements = match &field.node.kind {
        Kind::String(_) => vec![field.clone()],
        _ => walk.list(field),
    };
    let mut right = matches!(
        field.node.kind,
        Kind::String(_) | Kind::Array(_) | Kind::Object(_)
    );
    let mut texts = Vec::new();
    for element in elements {
        let Some(text) = walk.text(&element) else {
            right = false;
            continue;
        };
        if let Err(cause) = parse(&text) {
            let finding = Finding::new(format!("cannot use {}: {cause}", quoted(&text)));
            walk.error(&element.place, finding.help(HELP));
            right = false;
        }
        texts.push(text);
    }
    right.then_some(texts)
}

/// Tries one specification after the other; each takes the first address it matches.
fn pick(texts: &[String], addresses: Addresses<'_>) -> Choice {
    let specs = texts.iter().filter_map(|text| parse(text).ok());
    let found = match addresses {
        Addresses::Lookup(lookup) => lookup(),
        Addresses::NotLookedUp => {
            let mut specs = specs;
            return match specs.next() {
                Some(Spec::Static(text)) => fixed(text),
                _ => Choice::Open,
            };
        }
    };
    let known = sorted(&found);
    for spec in specs {
        if let Spec::Static(text) = spec {
            return fixed(text);
        }
        if let Some(address) = spec.first_of(&known) {
            return Choice::Address(address);
        }
    }
    Choice::NoMatch(no_match(texts, &known))
}

fn fixed(text: String) -> Choice {
    text.parse().map_or(Choice::Text(text), Choice::Address)
}

/// How many addresses the message names.
const LISTED: usize = 16;

fn no_match(texts: &[String], known: &[&InterfaceAddress]) -> String {
    let wanted: Vec<String> = texts.iter().take(LISTED).map(|text| quoted(text)).collect();
    let there = known.iter().take(LISTED);
    let there: Vec<String> = there
        .map(|one| format!("{}:{}", one.name, one.address))
        .collect();
    format!(
        "none of the interface specifications were able to match: wanted {}, there is [{}]",
        wanted.join(", "),
        there.join(" ")
    )
}

/// By name, then by the address as 16 bytes, IPv4 as mapped into IPv6: the order that the original counts in.
fn sorted(addresses: &[InterfaceAddress]) -> Vec<&InterfaceAddress> {
    let mut sorted: Vec<&InterfaceAddress> = addresses.iter().collect();
    sorted.sort_by_key(|one| (one.name.as_bytes(), sixteen_bytes(one.address)));
    sorted
}

fn sixteen_bytes(address: IpAddr) -> [u8; 16] {
    let wide: Ipv6Addr = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    wide.octets()
}

impl Family {
    fn has(self, address: IpAddr) -> bool {
        match self {
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        }
    }
}

impl Spec {
    fn first_of(&self, sorted: &[&InterfaceAddress]) -> Option<IpAddr> {
        let mut all = sorted.iter();
        let found = match self {
            Spec::Any(family) => {
                all.find(|one| family.has(one.address) && !one.address.is_loopback())
            }
            Spec::Public => all.find(|one| is_public(one.address)),
            Spec::Named(name, family) => {
                all.find(|one| one.name == *name && family.has(one.address))
            }
            Spec::Indexed(name, index) => all.filter(|one| one.name == *name).nth(*index),
            Spec::Network(network) => all.find(|one| network.contains(&one.address)),
            Spec::Static(_) => None,
        };
        found.map(|one| one.address)
    }
}

/// Reads one specification. Names are wider than the original's: `.`, `-` and `@` occur in real ones (D53).
fn parse(text: &str) -> Result<Spec, &'static str> {
    if let Some(address) = text.strip_prefix("static:") {
        return match address.trim() {
            "" => Err("an address must follow `static:`"),
            address => Ok(Spec::Static(address.to_owned())),
        };
    }
    match text {
        "" => return Err("the text is empty"),
        "inet" => return Ok(Spec::Any(Family::V4)),
        "inet6" => return Ok(Spec::Any(Family::V6)),
        "inet:public" => return Ok(Spec::Public),
        _ => {}
    }
    if text.contains('/') {
        let network = text.parse().map_err(|_| "not a network")?;
        return Ok(Spec::Network(network));
    }
    if text.parse::<IpAddr>().is_ok() {
        return Err("an address alone says no interface; write `static:` before it");
    }
    parse_named(text)
}

fn parse_named(text: &str) -> Result<Spec, &'static str> {
    const WRONG: &str = "not an interface specification";
    if let Some(rest) = text.strip_suffix(']') {
        let (name, index) = rest.split_once('[').ok_or(WRONG)?;
        if !index.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("the index must be a whole number from 0");
        }
        let index = index
            .parse()
            .map_err(|_| "the index must be a whole number from 0")?;
        return Ok(Spec::Indexed(interface_name(name).ok_or(WRONG)?, index));
    }
    let (name, family) = match text.split_once(':') {
        None | Some((_, "inet")) => (text.strip_suffix(":inet").unwrap_or(text), Family::V4),
        Some((name, "inet6")) => (name, Family::V6),
        Some(_) => return Err("after the name comes `:inet` or `:inet6`"),
    };
    Ok(Spec::Named(interface_name(name).ok_or(WRONG)?, family))
}

/// An IPv4 address outside of the ranges that are kept for private use, this machine and its links.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified())
        }
        IpAddr::V6(_) => false,
    }
}

fn interface_name(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_alphanumeric() || "_.-@".contains(c);
    (!name.is_empty() && name.chars().all(allowed)).then(|| name.to_owned())
}
