//! Configurations that people wrote: every file of the corpus has the outcome that its index states for rendering and
//! syntax, and those that are refused for their meaning are listed here with the reason (decision 32).
//!
//! The corpus is not part of the repository. `PILOTHOUSE_CORPUS` names its folder; without it the tests do nothing but say
//! so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pilothouse::config::{Addresses, Input, Report, Variables, Zones, load};

/// Files that render and parse with their sidecar's variables and are refused all the same, with a part of the reason.
const REFUSED: [(&str, &str); 5] = [
    // `restart` is no key; the original refused it as well.
    ("v3/cheapRoc__redis.json5", "jobs[0]: unknown key `restart`"),
    (
        "v3/cheapRoc__redis__etc-containerpilot.json5",
        "jobs[0]: unknown key `restart`",
    ),
    // Neither is `when.event`.
    (
        "v3/flaneur__hello-world.json5",
        "jobs[1].when: unknown key `event`",
    ),
    // A port without a health check; the original refused it as well.
    (
        "v3/leoj3n__consul-vault.json5",
        "health must be set if 'port' is set",
    ),
    (
        "v3/shai-adani-ericom__Proxy.json5",
        "health must be set if 'port' is set",
    ),
];

/// The same with an empty environment: what variables would have filled is empty.
const REFUSED_EMPTY: [(&str, &str); 20] = [
    // The name of a job comes from a variable.
    (
        "v3/autopilotpattern__nodejs-example__sensor-containerpilot.json5",
        NO_NAME,
    ),
    ("v3/carrotFoxx__services.json5", NO_NAME),
    ("v3/caseywebdev__bob.json5", NO_NAME),
    ("v3/caseywebdev__caseyfoster-website.json5", NO_NAME),
    ("v3/caseywebdev__coderiety-website.json5", NO_NAME),
    ("v3/caseywebdev__consul-lb.json5", NO_NAME),
    (
        "v3/caseywebdev__consul-lb__etc-containerpilot.json5",
        NO_NAME,
    ),
    (
        "v3/caseywebdev__consul-lb__etc-containerpilot__e401556.json5",
        NO_NAME,
    ),
    ("v3/caseywebdev__containerpilot-consul.json5", NO_NAME),
    ("v3/caseywebdev__foster-drafthouse-cinema.json5", NO_NAME),
    ("v3/hadronzoo__consul-lb.json5", NO_NAME),
    (
        "v3/muhammadzikrullah__new-iot__sensor-containerpilot.json5",
        NO_NAME,
    ),
    // So does the log level, in two of them the port as well.
    (
        "v3/MartijnDekkers-EI__docker-vault.json5",
        "Unknown log level ''",
    ),
    (
        "v3/ProsperProTech__PublicContainers__httpbin-containerpilot.json5",
        "jobs[0].port: cannot use ``",
    ),
    (
        "v3/ProsperProTech__PublicContainers__Traefik-containerpilot.json5",
        "jobs[1].port: cannot use ``",
    ),
    // As above: these depend on no variable.
    ("v3/cheapRoc__redis.json5", "jobs[0]: unknown key `restart`"),
    (
        "v3/cheapRoc__redis__etc-containerpilot.json5",
        "jobs[0]: unknown key `restart`",
    ),
    (
        "v3/flaneur__hello-world.json5",
        "jobs[1].when: unknown key `event`",
    ),
    (
        "v3/leoj3n__consul-vault.json5",
        "health must be set if 'port' is set",
    ),
    (
        "v3/shai-adani-ericom__Proxy.json5",
        "health must be set if 'port' is set",
    ),
];

/// Files of version 2 and 1 that no release started either, with a part of the reason; two of them are for `sed` first.
const REFUSED_OLDER: [(&str, &str); 14] = [
    ("v2/autopilotpattern__cloudflare.json", "`port` is missing"),
    ("v2/autopilotpattern__etcd.json", "etcd is not supported"),
    (
        "v2/autopilotpattern__jenkins__opt-containerbuddy-app.json",
        "Unknown log format 'go'",
    ),
    (
        "v2/autopilotpattern__nodejs-example__sensor-containerpilot.json",
        WITH_EXEC,
    ),
    (
        "v2/autopilotpattern__nodejs-example__smartthings-containerpilot.json",
        WITH_EXEC,
    ),
    (
        "v2/autopilotpattern__nodejs-example__traefik-containerpilot.json",
        WITH_EXEC,
    ),
    (
        "v2/dkatona__docker-kafka.json",
        "Unknown log level '[loglevel]'",
    ),
    ("v2/geek__natsboard-docker.json", WITH_EXEC),
    (
        "v2/jasonpincin__example-ap-redis-client.json",
        "`onChange` is required",
    ),
    ("v2/niekoost__consul.json", WITH_EXEC),
    (
        "v2/rbkmoney__dudoser.json",
        "services[0].port: cannot use `@server.port@`",
    ),
    (
        "v2/rune-catalog__rune-collection-service__containerpilot.json",
        "`poll` is missing",
    ),
    (
        "v2/rune-catalog__rune-ui-bff.json",
        "preStart: cannot run ``",
    ),
    ("v2/yldio__docker-compose-api.json", "`poll` is missing"),
];

const WITH_EXEC: &str = "a service with `exec` is of a forerunner";

const NO_NAME: &str = "'name' must not be blank";

/// What one file comes to.
#[derive(Debug)]
enum Outcome {
    /// The template or the syntax is wrong.
    Unreadable(Report),
    /// It is read; what it says is wrong.
    Refused(Report),
    /// It is read, and can be used.
    Accepted,
}

/// The folder of the corpus; `None`, after saying so, where there is none.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("PILOTHOUSE_CORPUS").map(PathBuf::from);
    let folder = folder.filter(|folder| folder.join("INDEX.json").exists());
    if folder.is_none() {
        println!("skipped: PILOTHOUSE_CORPUS does not name the folder of the corpus");
    }
    folder
}

fn entries(folder: &Path, is_older: bool) -> Vec<serde_json::Value> {
    let index = fs::read_to_string(folder.join("INDEX.json")).expect("the index can be read");
    let index: Vec<serde_json::Value> = serde_json::from_str(&index).expect("the index is JSON");
    let entries = index.into_iter();
    let entries = entries.filter(|entry| (entry["format"] != "v3") == is_older);
    let entries: Vec<_> = entries.collect();
    let count = entries.len();
    assert!(count > 100, "the index has {count} files of this version");
    entries
}

/// The files of that version that can be used, with the variables of their sidecars.
pub(crate) fn accepted(folder: &Path, is_older: bool) -> Vec<(String, Variables)> {
    let entries = entries(folder, is_older).into_iter();
    let files = entries.filter_map(|entry| {
        let file = entry["file"].as_str().expect("an entry names its file");
        let variables = sidecar(folder, &entry);
        let outcome = outcome(folder, file, &variables);
        matches!(outcome, Outcome::Accepted).then(|| (file.to_owned(), variables))
    });
    files.collect()
}

fn outcome(folder: &Path, file: &str, variables: &Variables) -> Outcome {
    let text = fs::read_to_string(folder.join(file)).expect("the file can be read");
    let loaded = load(&Input {
        file,
        text: &text,
        variables,
        addresses: Addresses::NotLookedUp,
        zones: Zones::NotLookedUp,
        app: None,
    });
    let Err(report) = loaded else {
        return Outcome::Accepted;
    };
    let first = report.iter().next().expect("a refusal has an error");
    let unreadable = ["cannot render the template", "cannot read JSON5"];
    if unreadable
        .iter()
        .any(|start| first.message.starts_with(start))
    {
        Outcome::Unreadable(report)
    } else {
        Outcome::Refused(report)
    }
}

fn sidecar(folder: &Path, entry: &serde_json::Value) -> Variables {
    let file = entry["env_file"]
        .as_str()
        .expect("an entry names its variables");
    let text = fs::read_to_string(folder.join(file)).expect("the variables can be read");
    serde_json::from_str(&text).expect("the variables are texts")
}

/// Compares every file with the index and with the table of refusals, and reports all differences at once.
fn check(
    is_older: bool,
    stated: &str,
    table: &[(&str, &str)],
    variables: impl Fn(&Path, &serde_json::Value) -> Variables,
) {
    let Some(folder) = folder() else { return };
    let mut refusals: BTreeMap<&str, &str> = table.iter().copied().collect();
    let mut wrong = Vec::new();
    for entry in entries(&folder, is_older) {
        let file = entry["file"].as_str().expect("an entry names its file");
        let stated = entry[stated].as_str().expect("an entry states its outcome");
        let readable = !stated.ends_with("error");
        let reason = refusals.remove(file);
        let has = |report: &Report, reason: &str| report.to_string().contains(reason);
        match (outcome(&folder, file, &variables(&folder, &entry)), reason) {
            (Outcome::Unreadable(_), None) if !readable => {}
            (Outcome::Accepted, None) if readable => {}
            (Outcome::Refused(report), Some(reason)) if readable && has(&report, reason) => {}
            (Outcome::Unreadable(report), _) => wrong.push(format!("{file}: unreadable\n{report}")),
            (Outcome::Refused(report), _) => wrong.push(format!("{file}: refused\n{report}")),
            (Outcome::Accepted, _) => wrong.push(format!("{file}: accepted")),
        }
    }
    let gone = refusals
        .keys()
        .map(|file| format!("{file}: in the table and not in the corpus"));
    wrong.extend(gone);
    let count = wrong.len();
    assert!(
        wrong.is_empty(),
        "{count} differences\n\n{}",
        wrong.join("\n\n")
    );
}

#[test]
fn files_with_their_variables() {
    check(false, "parse_with_sidecar", &REFUSED, sidecar);
}

#[test]
fn files_of_version_2_and_1_with_their_variables() {
    check(true, "parse_with_sidecar", &REFUSED_OLDER, sidecar);
}

#[test]
fn files_with_an_empty_environment() {
    check(false, "parse_with_empty_env", &REFUSED_EMPTY, |_, _| {
        Variables::new()
    });
}
