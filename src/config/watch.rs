//! `watches[]`.

use std::collections::HashMap;

use crate::events::WatchId;
use crate::watches::WatchSpec;

use super::health::period;
use super::section::Section;
use super::service::check_name;
use super::walk::{Field, Finding, Walk, quoted};

/// Keys that the original took for fields of its own and ignored.
const IGNORED: [&str; 2] = ["serviceName", "discoveryService"];

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

fn read(walk: &mut Walk<'_>, field: &Field<'_>) -> WatchSpec {
    let mut watch = WatchSpec {
        name: String::new(),
        interval: std::time::Duration::from_secs(1),
        tag: None,
        dc: None,
    };
    let Some(mut section) = walk.section(field) else {
        return watch;
    };
    watch.name = read_name(walk, &mut section);
    if let Some(interval) = section.take(walk, "interval") {
        watch.interval = period(walk, &interval).unwrap_or(watch.interval);
    } else {
        let finding = Finding::new("`interval` is missing: interval must be > 0");
        let help = "write a number of seconds, such as `10`";
        walk.error(&section.place, finding.help(help));
    }
    watch.tag = section.text(walk, "tag").filter(|tag| !tag.is_empty());
    watch.dc = section.text(walk, "dc").filter(|dc| !dc.is_empty());
    section.ignore(walk, &IGNORED, "remove it");
    section.finish(walk);
    watch
}

fn read_name(walk: &mut Walk<'_>, section: &mut Section<'_>) -> String {
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
    } else {
        check_name(walk, &place, &name);
    }
    name
}
