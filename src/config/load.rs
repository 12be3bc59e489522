//! From text to a checked configuration.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::actions::Kept;
use super::cron::Zones;
use super::diagnostic::{Diagnostic, Report, Severity};
use super::dialect;
use super::image::{self, Look};
use super::interfaces::Addresses;
use super::job::{self, Draft};
use super::json5::{self, Fault, Parsed};
use super::keys;
use super::names::Names;
use super::secrets::{SHORTEST, Secrets, TELLTALE, is_telltale};
use super::section::{Case, Known, Section};
use super::service::Surroundings;
use super::settings::{Config, Dialect};
use super::source::Source;
use super::stop::Limits;
use super::template::{self, Rendered, SourceMap, TemplateError, Variables};
use super::tree::{Kind, Node};
use super::v2::{self, App};
use super::walk::{Field, Finding, Place, Walk};
use super::{consul, control, hooks, logging, print, reload, sensor, telemetry, watch};

/// The largest file that is read, in bytes. A configuration of a thousand jobs has a third of it.
pub const MAX_BYTES: usize = 1 << 20;

/// The largest text that a template may make of it: loops are what templates are for.
const MAX_RENDERED: usize = 4 << 20;

/// What a configuration is made from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The name of the file in messages.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
    /// What the template can use.
    pub variables: &'a Variables,
    /// The machine's addresses, for `interfaces`.
    pub addresses: Addresses<'a>,
    /// The time zones of the image, for `cron`. The local one is that of the variable `TZ`.
    pub zones: Zones<'a>,
    /// The application of the command line, which is the main job of a file of version 2; `None`: nobody knows it.
    pub app: Option<&'a [String]>,
}

/// A configuration that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// What is odd about it; has no errors.
    pub warnings: Report,
}

/// Reads a configuration: template, JSON5, then every section.
///
/// A text that cannot be rendered or parsed gives the first fault; after that all are found at once. Nothing is touched:
/// no file, no network, no clock. Sizes, depth and findings are bounded, so the text may come from a stranger.
///
/// # Errors
///
/// A report with at least one error; its warnings are in it as well.
pub fn load(input: &Input<'_>) -> Result<Loaded, Report> {
    read_text(input, Around::default()).map(|(loaded, _)| loaded)
}

/// What a check can know of the place where a configuration is to run.
#[derive(Clone, Copy, Default)]
pub struct Around<'a> {
    /// Finds what jobs need and the image lacks, which gives warnings.
    pub look: Option<Look<'a>>,
    /// The time that the container's runtime leaves between TERM and KILL; `None`: what is usual.
    pub grace: Option<Duration>,
}

impl fmt::Debug for Around<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grace = &self.grace;
        out.debug_struct("Around")
            .field("grace", grace)
            .finish_non_exhaustive()
    }
}

/// The same, with what is to be said of the place where it is to run.
///
/// # Errors
///
/// As [`load`].
pub fn load_around(input: &Input<'_>, around: Around<'_>) -> Result<Loaded, Report> {
    read_text(input, around).map(|(loaded, _)| loaded)
}

/// The text of the same configuration in which nothing is short for something else: every hook is the job that it is.
///
/// # Errors
///
/// As [`load`].
pub fn expand(input: &Input<'_>) -> Result<String, Report> {
    let (_, tree) = read_text(input, Around::default())?;
    Ok(print::literal(&print::print(&tree)))
}

/// The same configuration for version 3, with a comment where something is not as it was; `None` if it is one already.
/// What the template does within values stays; where it does more, it is rendered and a comment says so.
///
/// # Errors
///
/// As [`load`], as far as the file's own version is concerned.
pub fn migrate(input: &Input<'_>) -> Result<Option<String>, Report> {
    let text = without_mark(input.text);
    check_size(input.file, text, "the file", MAX_BYTES)?;
    let kept = Kept::of(text);
    let with_actions = kept.as_ref().and_then(|kept| {
        let migrated = migrate_text(input, kept.text(), None).ok()?;
        Some(migrated.map(|text| kept.put_back(&text)))
    });
    if let Some(migrated) = with_actions {
        return Ok(migrated);
    }
    let rendered = render(input, text)?;
    let migrated = migrate_text(input, &rendered.text, Some(&rendered.map))?;
    let has_template = rendered.text != text;
    Ok(migrated.map(|text| {
        if has_template {
            format!(
                "// the template has been rendered: this is what it came to here and now\n{text}"
            )
        } else {
            text
        }
    }))
}

fn migrate_text(
    input: &Input<'_>,
    text: &str,
    map: Option<&SourceMap>,
) -> Result<Option<String>, Report> {
    let (mut walk, parsed) = parse(input, text, map)?;
    let words = input.app.unwrap_or_default();
    let dialect = dialect::recognise(&mut walk, &parsed.root, !words.is_empty());
    let migrated = match dialect {
        Some(Dialect::V2) => {
            let tree = v2::translate(&mut walk, &parsed.root, App::Written(words));
            Some(print::print(&tree))
        }
        Some(Dialect::V3) | None => None,
    };
    if walk.has_errors() {
        return Err(walk.finish());
    }
    // Words of the command line are templates, and go on to be.
    let has_templates = words.iter().any(|word| word.contains("{{"));
    Ok(migrated.map(|text| {
        if has_templates {
            text
        } else {
            print::literal(&text)
        }
    }))
}

fn read_text(input: &Input<'_>, place: Around<'_>) -> Result<(Loaded, Node), Report> {
    let text = without_mark(input.text);
    check_size(input.file, text, "the file", MAX_BYTES)?;
    let rendered = render(input, text)?;
    let (mut walk, mut parsed) = parse(input, &rendered.text, Some(&rendered.map))?;
    report_replaced(&mut walk, &parsed);
    let config = read(&mut walk, &mut parsed.root, input, place);
    let has_errors = walk.has_errors();
    let report = walk.finish();
    match config {
        Some(config) if !has_errors => {
            let warnings = report;
            Ok((Loaded { config, warnings }, parsed.root))
        }
        _ => Err(report),
    }
}

fn render(input: &Input<'_>, text: &str) -> Result<Rendered, Report> {
    let secrets = || Secrets::of_variables(input.variables);
    let rendered = template::render(text, input.variables)
        .map_err(|error| of_template(input.file, text, secrets(), error))?;
    check_size(
        input.file,
        &rendered.text,
        "the rendered file",
        MAX_RENDERED,
    )?;
    Ok(rendered)
}

/// The tree of a text, and the walk over it that knows what it must not show.
fn parse<'t>(
    input: &Input<'_>,
    text: &'t str,
    map: Option<&'t SourceMap>,
) -> Result<(Walk<'t>, Parsed), Report> {
    let source = Source::new(text, map, Secrets::of_variables(input.variables));
    let parsed = match json5::parse(text) {
        Ok(parsed) => parsed,
        Err(fault) => return Err(of_syntax(input.file, &source, &fault)),
    };
    let mut walk = Walk::new(source, input.file);
    hide_secrets(&mut walk, text, &parsed);
    Ok((walk, parsed))
}

/// The path of the control socket, if the text says one: all that a client needs of a configuration, which may be broken
/// everywhere else (D46).
#[must_use]
pub fn control_socket(text: &str, variables: &Variables) -> Option<PathBuf> {
    let text = without_mark(text);
    if text.len() > MAX_BYTES {
        return None;
    }
    let rendered = template::render(text, variables).ok()?;
    if rendered.text.len() > MAX_RENDERED {
        return None;
    }
    let parsed = json5::parse(&rendered.text).ok()?;
    match &parsed.root.get("control")?.get("socket")?.kind {
        Kind::String(path) if !path.is_empty() => Some(PathBuf::from(path)),
        _ => None,
    }
}

/// Editors of some systems put a byte order mark before the text.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn check_size(file: &str, text: &str, what: &str, limit: usize) -> Result<(), Report> {
    let bytes = text.len();
    if bytes <= limit {
        return Ok(());
    }
    let mut report = Report::new(file);
    report.push(Diagnostic {
        severity: Severity::Error,
        message: format!("cannot read {what}: it has {bytes} bytes, and at most {limit} are read"),
        path: None,
        position: None,
        excerpt: None,
        help: None,
    });
    Err(report)
}

fn of_template(file: &str, text: &str, secrets: Secrets, error: TemplateError) -> Report {
    let source = Source::new(text, None, secrets);
    let at = source.offset(error.line, error.column);
    let mut report = Report::new(file);
    report.push(Diagnostic {
        severity: Severity::Error,
        message: source.scrub(format!("cannot render the template: {}", error.message)),
        path: None,
        position: Some(source.position(at)),
        excerpt: source.excerpt(&(at..at + 1)),
        help: error.help.map(|help| source.scrub(help)),
    });
    report
}

/// Without a tree nothing tells a token or a variable from another text; its line is left out on suspicion.
fn of_syntax(file: &str, source: &Source<'_>, fault: &Fault) -> Report {
    let start = fault.range.start;
    let excerpt = source.excerpt(&fault.range);
    let mut report = Report::new(file);
    report.push(Diagnostic {
        severity: Severity::Error,
        message: source.scrub(format!("cannot read JSON5: {}", fault.message)),
        path: None,
        position: Some(source.position(start)),
        excerpt: excerpt.filter(|_| {
            let near = |word| source.is_near_word(start, word);
            !near("env") && !TELLTALE.iter().any(|word| near(word))
        }),
        help: fault.help.map(str::to_owned),
    });
    report
}

/// Tells the source what it must not show: values of keys called `token`, and every text in `consul` that is under a key
/// we do not know, which may be a misspelt one.
fn hide_secrets(walk: &mut Walk<'_>, text: &str, parsed: &Parsed) {
    let source = walk.source_mut();
    for range in &parsed.tokens {
        let value = text.get(range.clone()).unwrap_or_default();
        source.hide(range, value.trim_matches(['"', '\'']));
    }
    if let Some(jobs) = parsed.root.get("jobs") {
        hide_environments(source, jobs);
    }
    let Some(Node {
        kind: Kind::Object(entries),
        ..
    }) = parsed.root.get("consul")
    else {
        return;
    };
    let known = [
        "address",
        "scheme",
        "tokenFile",
        "tls",
        "datacenter",
        "namespace",
        "partition",
        "maxConnections",
        "embedded",
    ];
    let harmless = |key: &str| known.iter().any(|known| key.eq_ignore_ascii_case(known));
    for entry in entries.iter().filter(|entry| !harmless(&entry.key)) {
        let value = super::walk::scalar_text(&entry.value);
        source.hide(&entry.value.range, value.as_deref().unwrap_or_default());
    }
}

/// Values in an `env` of a job or a hook. All may be secrets, so no line of theirs is shown; those whose name says that
/// they are one are kept out of every message.
fn hide_environments(source: &mut Source<'_>, node: &Node) {
    for element in node.elements() {
        hide_environments(source, element);
    }
    for entry in node.entries() {
        if !entry.key.eq_ignore_ascii_case("env") {
            hide_environments(source, &entry.value);
            continue;
        }
        for variable in entry.value.entries() {
            let text = super::walk::scalar_text(&variable.value);
            let text = text.filter(|text| is_telltale(&variable.key) && text.len() >= SHORTEST);
            source.hide(&variable.value.range, text.as_deref().unwrap_or_default());
        }
    }
}

fn report_replaced(walk: &mut Walk<'_>, parsed: &Parsed) {
    for (key, range) in &parsed.replaced {
        if is_telltale(key) {
            // What it replaced is in no tree.
            walk.source_mut().hide(range, "");
        }
        let place = Place {
            path: String::new(),
            range: range.clone(),
        };
        let shown = super::walk::quoted(key);
        let finding = Finding::new(format!(
            "the key {shown} is given twice: the last one counts"
        ));
        walk.warning(&place, finding.help("remove one of them"));
    }
}

/// Reads the tree; `None` if it is no configuration at all.
fn read(
    walk: &mut Walk<'_>,
    root: &mut Node,
    input: &Input<'_>,
    place: Around<'_>,
) -> Option<Config> {
    let has_app = input.app.is_some_and(|words| !words.is_empty());
    let dialect = dialect::recognise(walk, root, has_app)?;
    if dialect == Dialect::V2 {
        *root = v2::translate(walk, root, input.app.map_or(App::Unknown, App::Words));
    }
    hooks::expand(walk, root);
    let at = Place {
        path: String::new(),
        range: root.range.start..root.range.start + 1,
    };
    let field = Field {
        place: at,
        node: root,
    };
    let Some(mut top) = Section::new(&field, Known::Table(&keys::TOP), Case::Exact) else {
        let finding = Finding::new(format!(
            "cannot use {}: a configuration is an object",
            root.kind_name()
        ));
        walk.error(
            &field.place,
            finding.help("put it in braces: `{ jobs: [ … ] }`"),
        );
        return None;
    };
    let _ = top.take(walk, "$schema");
    let logging = top
        .take(walk, "logging")
        .map(|field| logging::read(walk, &field));
    let limits = Limits::read(walk, &mut top);
    let reload_on_change = reload::read(walk, &mut top);
    let consul = top.take(walk, "consul");
    let around = Surroundings {
        addresses: input.addresses,
        zones: input.zones,
        local_zone: input.variables.get("TZ").map(String::as_str),
        has_catalogue: consul.is_some(),
    };
    let consul = consul.and_then(|field| consul::read(walk, &field));
    let control = top
        .take(walk, "control")
        .map(|field| control::read(walk, &field));
    let mut drafts = read_jobs(walk, &mut top, around);
    let (watches, names) = read_watches(walk, &mut top);
    let names = Names {
        watches: names,
        ..Names::default()
    };
    job::resolve(walk, &mut drafts, names);
    if dialect == Dialect::V2 {
        v2::render_words(walk, root, &mut drafts, input.variables);
    }
    let telemetry = top.take(walk, "telemetry");
    let sensors = drafts.iter().filter_map(|draft| draft.sensor.as_ref());
    let telemetry = if let Some(field) = telemetry {
        let telemetry = telemetry::read(walk, &field, around);
        telemetry.inspect(|telemetry| sensor::check(walk, sensors, &telemetry.metrics))
    } else {
        sensor::check(walk, sensors, &[]);
        None
    };
    job::check_ids(walk, &drafts);
    limits.check(walk, &drafts, place.grace);
    if let Some(look) = place.look {
        image::check(walk, root, &drafts, look);
    }
    top.finish(walk);
    Some(Config {
        dialect,
        logging: logging.unwrap_or_default(),
        stop: limits.values,
        jobs: drafts.into_iter().map(|draft| draft.spec).collect(),
        watches,
        consul,
        control: control.unwrap_or_default(),
        reload_on_change,
        telemetry,
    })
}

/// The original took anything but an array for no jobs, and then ran for ever (D10).
fn read_jobs(walk: &mut Walk<'_>, top: &mut Section<'_>, around: Surroundings<'_>) -> Vec<Draft> {
    let Some(field) = top.take(walk, "jobs") else {
        return Vec::new();
    };
    if !matches!(field.node.kind, Kind::Array(_)) {
        let shown = walk.shown(field.node);
        let finding = Finding::new(format!("cannot use {shown}: expected an array"));
        walk.error(
            &field.place,
            finding.help("write `jobs: [ { name: \"app\", exec: \"…\" } ]`"),
        );
        return Vec::new();
    }
    let fields = walk.list(&field);
    job::read_all(walk, &fields, around)
}

fn read_watches(
    walk: &mut Walk<'_>,
    top: &mut Section<'_>,
) -> (
    Vec<crate::watches::WatchSpec>,
    std::collections::HashMap<String, crate::events::WatchId>,
) {
    let field = top.take(walk, "watches");
    let fields = match &field {
        Some(field) if !matches!(field.node.kind, Kind::Array(_)) => {
            let shown = walk.shown(field.node);
            let finding = Finding::new(format!("{shown} is no array and is ignored"));
            walk.warning(
                &field.place,
                finding.help("write `watches: [ { name: \"…\", interval: 10 } ]`"),
            );
            Vec::new()
        }
        Some(field) => walk.list(field),
        None => Vec::new(),
    };
    watch::read_all(walk, &fields)
}
