//! `watches[]`.

use std::collections::HashMap;
use std::time::Duration;

use crate::events::WatchId;
use crate::watches::{Debounce, Subject, Target, WatchSpec};

use super::health::period;
use super::keys;
use super::section::Section;
use super::service::check_name;
use super::walk::{Field, Finding, Place, Walk, quoted};

/// Reads all watches, and the number that `watch.<name>` stands for.
///
/// A watch with an error keeps its name, so that jobs that refer to it raise no second error.
pub(super) fn read_all(
    walk: &mut Walk<'_>,
    fields: &[Field<'_>],
) -> (Vec<WatchSpec>, HashMap<String, WatchId>) {
    let mut watches: Vec<WatchSpec> = Vec::with_capacity(fields.len());
    let mut names: HashMap<String, WatchId> = HashMap::new();
    for (id, field) in (0..).map(WatchId).zip(fields) {
        let watch = read(walk, field);
        if names.contains_key(&watch.name) && !watch.name.is_empty() {
            let finding = Finding::new(format!(
                "two watches are called {}; `watch.{}` means the first",
                quoted(&watch.name),
                watch.name
            ));
            walk.warning(
                &field.place,
                finding.help("remove one; events of the second start no job"),
            );
        } else {
            names.insert(watch.name.clone(), id);
        }
        watches.push(watch);
    }
    (watches, names)
}

/// What a watch with an error is taken for, so that reading can go on.
fn broken() -> WatchSpec {
    WatchSpec {
        name: String::new(),
        subject: Subject {
            target: Target::Key(String::new()),
            dc: None,
        },
        interval: Duration::from_secs(1),
        debounce: None,
    }
}

fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> WatchSpec {
    let Some(mut section) = walk.section(field, &keys::WATCH) else {
        return broken();
    };
    let (name, name_place) = read_name(walk, &mut section);
    let interval = read_interval(walk, &mut section);
    let target = read_target(walk, &mut section, &name, &name_place);
    let dc = section.text(walk, "dc").filter(|dc| !dc.is_empty());
    let debounce = section.section(walk, "debounce");
    let debounce = debounce.and_then(|section| read_debounce(walk, section));
    section.ignore(walk, "remove it");
    section.finish(walk);
    WatchSpec {
        name,
        subject: Subject { target, dc },
        interval,
        debounce,
    }
}

fn read_interval(walk: &mut Walk<'_>, section: &mut Section<'_>) -> Duration {
    let default = Duration::from_secs(1);
    if let Some(interval) = section.take(walk, "interval") {
        return period(walk, &interval).unwrap_or(default);
    }
    let finding = Finding::new("`interval` is missing: interval must be > 0");
    let help = "write a number of seconds, such as `10`";
    walk.error(&section.place, finding.help(help));
    default
}

/// What is looked at: a service, which is called as the watch unless `service` says otherwise, or with `kv` a key, or
/// all keys of a folder when it ends with `/`.
fn read_target(
    walk: &mut Walk<'_>,
    section: &mut Section<'_>,
    name: &str,
    name_place: &Place,
) -> Target {
    let kv = section.take(walk, "kv");
    let service = section.take(walk, "service");
    let tag = section.take(walk, "tag");
    let tags = section.take(walk, "tags");
    let passing_only = section.take(walk, "passingOnly");
    if let Some(kv) = kv {
        for field in [&service, &tag, &tags, &passing_only].into_iter().flatten() {
            let finding = Finding::new("the key has no meaning beside `kv`");
            walk.error(&field.place, finding.help("remove it, or remove `kv`"));
        }
        return read_key(walk, &kv);
    }
    let service = if let Some(field) = &service {
        // Whatever the catalogue has: other registrars know fewer rules.
        walk.text(field).unwrap_or_default()
    } else {
        // That a name is missing has been reported.
        if !name.is_empty() {
            check_name(walk, name_place, name);
        }
        name.to_owned()
    };
    let passing_only = passing_only.and_then(|field| walk.boolean(&field));
    Target::Service {
        name: service,
        tags: read_tags(walk, tag, tags),
        passing_only: passing_only.unwrap_or(true),
    }
}

/// `tag` and `tags` together, sorted, each once: an instance has to have all of them.
fn read_tags(walk: &mut Walk<'_>, tag: Option<Field<'_>>, tags: Option<Field<'_>>) -> Vec<String> {
    let one = tag.and_then(|field| walk.text(&field));
    let many = tags.map(|field| walk.texts(&field)).unwrap_or_default();
    let mut all: Vec<String> = one.into_iter().chain(many).collect();
    all.retain(|tag| !tag.is_empty());
    all.sort();
    all.dedup();
    all
}

/// The longest key that the catalogue takes (Consul: 512 bytes).
const LONGEST_KEY: usize = 512;

fn read_key(walk: &mut Walk<'_>, field: &Field<'_>) -> Target {
    let key = walk.text(field).unwrap_or_default();
    let wrong = if key.is_empty() {
        Some("a key is not empty; `/` at its end means all keys below")
    } else if key.starts_with('/') {
        Some("a key does not begin with `/`")
    } else if key.len() > LONGEST_KEY {
        Some("a key has at most 512 bytes")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        let finding = Finding::new(format!("cannot use {}: {wrong}", quoted(&key)));
        let help = "write for example `config/app`, or `config/` for everything below";
        walk.error(&field.place, finding.help(help));
    }
    if key.ends_with('/') {
        Target::Prefix(key)
    } else {
        Target::Key(key)
    }
}

/// `debounce: { min, max }`; `max` is ten times `min` where it is not said.
fn read_debounce(walk: &mut Walk<'_>, mut section: Section<'_>) -> Option<Debounce> {
    let min = section.take(walk, "min");
    let max = section.take(walk, "max");
    let place = section.place.clone();
    section.finish(walk);
    let Some(min) = min else {
        let finding = Finding::new("`min` is missing: the quiet to wait for after a change");
        walk.error(&place, finding.help("write for example `min: \"2s\"`"));
        return None;
    };
    let least = period(walk, &min)?;
    let most = match &max {
        Some(max) => period(walk, max)?,
        None => least.saturating_mul(10),
    };
    if let Some(max) = max.filter(|_| most < least) {
        let finding = Finding::new("`max` is shorter than `min`");
        walk.error(&max.place, finding.help("use at least as much as `min`"));
        return None;
    }
    Some(Debounce {
        min: least,
        max: most,
    })
}

fn read_name(walk: &mut Walk<'_>, section: &mut Section<'_>) -> (String, Place) {
    let field = section.take(walk, "name");
    let name = field
        .as_ref()
        .map_or_else(|| Some(String::new()), |field| walk.text(field));
    let name = name.unwrap_or_default();
    let place = field.map_or_else(|| section.place.clone(), |field| field.place);
    if name.is_empty() {
        let finding = Finding::new("'name' must not be blank");
        walk.error(
            &place,
            finding.help("write the name of the service to watch"),
        );
    }
    (name, place)
}
