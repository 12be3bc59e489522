//! Every rule of the configuration, as a person meets it: a text in, settings or a report out.

mod attributes;
mod cron;
mod duration;
mod health;
mod hooks;
mod hostile;
mod interfaces;
mod job;
mod report;
mod secret;
mod section;
mod service;
mod stop;
mod syntax;
mod table;
mod telemetry;
mod watch;
mod when;

use std::net::IpAddr;
use std::time::Duration;

use crate::jobs::JobSpec;
use crate::schedule::{NoZone, Zone};

use super::*;

/// The least that a check has.
const HEALTH: &str = "health: { interval: 1, ttl: 5 }";

/// A machine with one interface beside loopback.
fn addresses() -> Vec<InterfaceAddress> {
    named(&[("eth0", "10.0.0.2"), ("lo", "127.0.0.1"), ("lo", "::1")])
}

fn named(addresses: &[(&str, &str)]) -> Vec<InterfaceAddress> {
    let addresses = addresses.iter();
    let addresses = addresses.map(|(name, address)| InterfaceAddress {
        name: (*name).to_owned(),
        address: address.parse().unwrap(),
    });
    addresses.collect()
}

/// What a lookup that finds these would be; leaked, as a test may.
fn known(found: Vec<InterfaceAddress>) -> Addresses<'static> {
    let found: std::rc::Rc<[InterfaceAddress]> = found.into();
    Addresses::Lookup(Box::leak(Box::new(move || std::rc::Rc::clone(&found))))
}

/// An image with the zone of Berlin alone, and none of its own.
fn zones() -> Zones<'static> {
    Zones::Lookup(&|name| match name {
        "Europe/Berlin" => Zone::from_rule("CET-1CEST,M3.5.0,M10.5.0/3").ok_or(NoZone::NoData),
        "Broken" => Err(NoZone::Unreadable("torn".to_owned())),
        "Bare/Image" => Err(NoZone::NoData),
        _ => Err(NoZone::Unknown),
    })
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn try_load(text: &str) -> Result<Loaded, Report> {
    with_variables(text, &[])
}

fn with_variables(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Report> {
    let variables = variables.iter();
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(&Input {
        file: "app.json5",
        text,
        variables: &variables.collect(),
        addresses: known(addresses()),
        zones: zones(),
        app: None,
    })
}

/// The configuration of a text that must be accepted without a warning.
#[track_caller]
fn clean(text: &str) -> Config {
    let loaded = try_load(text).unwrap_or_else(|report| panic!("{text}\n{report}"));
    assert!(loaded.warnings.is_empty(), "{text}\n{}", loaded.warnings);
    loaded.config
}

/// The configuration of a text that must be accepted with one warning that contains `expected`.
#[track_caller]
fn warned(text: &str, expected: &str) -> Config {
    let loaded = try_load(text).unwrap_or_else(|report| panic!("{text}\n{report}"));
    let said = loaded.warnings.to_string();
    assert_eq!(loaded.warnings.len(), 1, "{text}\n{said}");
    assert!(said.contains(expected), "{text}\n{said}");
    loaded.config
}

/// The one error of a text that must be refused.
#[track_caller]
fn refused(text: &str, expected: &str) -> Report {
    let report = match try_load(text) {
        Ok(loaded) => panic!("{text}\nis accepted: {:?}", loaded.config),
        Err(report) => report,
    };
    let said = report.to_string();
    assert_eq!(report.errors(), 1, "{text}\n{said}");
    assert!(
        said.contains(expected),
        "{text}\nexpected {expected}\n{said}"
    );
    report
}

/// A configuration with one job of these keys.
fn job_text(keys: &str) -> String {
    format!("{{ jobs: [ {{ name: \"app\", {keys} }} ] }}")
}

#[track_caller]
fn job(keys: &str) -> JobSpec {
    clean(&job_text(keys)).jobs.remove(0)
}

#[track_caller]
fn warned_job(keys: &str, expected: &str) -> JobSpec {
    warned(&job_text(keys), expected).jobs.remove(0)
}

#[track_caller]
fn refused_job(keys: &str, expected: &str) {
    refused(&job_text(keys), expected);
}
