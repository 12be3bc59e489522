//! Configurations that people wrote, run: every accepted file of the corpus starts with its commands replaced by
//! recorders, is stopped by TERM, and what was recorded keeps to the order that the file states. A file of version 2 or 1
//! and what `migrate` makes of it record the same.
//!
//! The corpus is not part of the repository, see [`crate::corpus`].

mod older;
mod rewrite;
mod rules;
mod tree;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pilothouse::config::{Addresses, Input, Variables, Zones, expand, migrate};
use serde_json::Value;

use crate::corpus;
use crate::support::{Consul, PATIENCE, Pilot, Running, Signal, compiled, holds_within};
use rewrite::Place;
use rules::{Rules, STOP};

/// Files that are accepted and cannot run here, with the reason. One that is not in this table has to run.
const LEFT_OUT: [(&str, &str); 0] = [];

/// Runs at a time. They wait most of the time.
const AT_A_TIME: usize = 8;

/// One run: what was recorded, or why there is nothing.
struct Record {
    lines: Vec<String>,
    code: Option<i32>,
    problems: Vec<String>,
}

/// What all runs share.
struct Site {
    programs: tempfile::TempDir,
}

impl Site {
    fn new() -> Site {
        let programs = tempfile::tempdir().expect("tests need a temporary directory");
        let source = include_str!("stubs/recorder.c");
        compiled(programs.path(), "recorder", source);
        symlink("recorder", programs.path().join("consul")).expect("a directory of ours");
        Site { programs }
    }
}

mod heavy {
    use super::{Site, each_file, of_version_2, of_version_3};

    #[test]
    fn files_of_version_3_keep_the_order_of_their_hooks() {
        let site = Site::new();
        each_file(false, |consul, text, variables| {
            of_version_3(&site, consul, text, variables)
        });
    }

    #[test]
    fn files_of_version_2_and_1_and_their_migrations_keep_the_same_order() {
        let site = Site::new();
        each_file(true, |consul, text, variables| {
            of_version_2(&site, consul, text, variables)
        });
    }
}

/// Runs `run` for every accepted file that is not left out, some at a time, and reports all problems at once.
fn each_file(is_older: bool, run: impl Fn(&Consul, &str, &Variables) -> Vec<String> + Sync) {
    let Some(folder) = corpus::folder() else {
        return;
    };
    let files: Vec<_> = corpus::accepted(&folder, is_older)
        .into_iter()
        .filter(|(file, _)| LEFT_OUT.iter().all(|(left_out, _)| left_out != file))
        .collect();
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(files.len()) {
            scope.spawn(|| {
                let consul = Consul::embedded();
                while let Some((file, variables)) = files.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let text = fs::read_to_string(folder.join(file)).expect("the file can be read");
                    let found = catch_unwind(AssertUnwindSafe(|| run(&consul, &text, variables)));
                    // What a panic says is above.
                    let found = found.unwrap_or_else(|_| vec!["the test itself failed".to_owned()]);
                    let found = found
                        .into_iter()
                        .map(|problem| format!("{file}: {problem}"));
                    problems
                        .lock()
                        .expect("nobody panics with it")
                        .extend(found);
                }
            });
        }
    });
    let problems = problems.into_inner().expect("nobody panics with it");
    println!("{} files", files.len());
    assert!(
        problems.is_empty(),
        "{} problems\n{}",
        problems.len(),
        problems.join("\n")
    );
}

fn input<'a>(text: &'a str, variables: &'a Variables, app: Option<&'a [String]>) -> Input<'a> {
    Input {
        file: "c.json5",
        text,
        variables,
        addresses: Addresses::NotLookedUp,
        zones: Zones::NotLookedUp,
        app,
    }
}

fn of_version_3(site: &Site, consul: &Consul, text: &str, variables: &Variables) -> Vec<String> {
    let expanded = expand(&input(text, variables, None)).expect("the file is accepted");
    let mut tree = tree::parse(&expanded);
    let address = consul.address();
    rewrite::version_3(&mut tree, site.place(&address));
    record(consul, &tree, &Rules::of(&tree), &[]).problems
}

fn of_version_2(site: &Site, consul: &Consul, text: &str, variables: &Variables) -> Vec<String> {
    let none = Variables::new();
    let address = consul.address();
    let place = site.place(&address);
    let app = place.application();
    let rendered = pilothouse::config::render(text, variables).expect("the file is accepted");
    let mut tree = tree::parse(&rendered.text);
    rewrite::version_2(&mut tree, place);
    let own = tree.to_string();
    let own_rules = expand(&input(&own, &none, Some(&app))).expect("it is as good as it was");
    let own_rules = Rules::of(&tree::parse(&own_rules));

    let migrated = migrate(&input(&own, &none, Some(&app))).expect("it is as good as it was");
    let migrated = migrated.expect("it is of version 2");
    let new_rules = expand(&input(&migrated, &none, None)).expect("a migrated file is good");
    let new_rules = Rules::of(&tree::parse(&new_rules));

    let before = record(consul, &tree, &own_rules, &app);
    let after = record(consul, &tree::parse(&migrated), &new_rules, &[]);
    let mut problems = before.problems;
    let of_new = after.problems.into_iter();
    problems.extend(of_new.map(|problem| format!("migrated: {problem}")));
    if own_rules.orders() != new_rules.orders() {
        problems.push("its migration states another order".to_owned());
    }
    if before.code != after.code {
        problems.push(format!(
            "status {:?}, migrated {:?}",
            before.code, after.code
        ));
    }
    let lines = |lines: &[String]| lines.iter().cloned().collect::<BTreeSet<_>>();
    if lines(&before.lines) != lines(&after.lines) {
        problems.push(format!("{:?}, migrated {:?}", before.lines, after.lines));
    }
    for (kind, lines) in [("", &before.lines), ("migrated: ", &after.lines)] {
        let found = older::problems(&tree, lines).into_iter();
        problems.extend(found.map(|problem| format!("{kind}{problem}")));
    }
    problems
}

impl Site {
    fn place<'a>(&'a self, catalogue: &'a str) -> Place<'a> {
        Place {
            programs: self.programs.path(),
            catalogue,
        }
    }
}

/// Runs a configuration until everything has run that does so by itself, then stops it.
fn record(consul: &Consul, tree: &Value, rules: &Rules, app: &[String]) -> Record {
    let others = Others::register(consul, tree);
    let mut words = vec![
        "-socket",
        "@DIR@/control.socket",
        "-config",
        "@DIR@/c.json5",
    ];
    words.extend(app.iter().map(String::as_str));
    let pilot = Pilot::command(&words).file("c.json5", &tree.to_string());
    let mut pilot = pilot.env("RECORD", "@DIR@/journal").start();
    let missing = wait_for_lines(&mut pilot, rules.first_lines());
    if pilot.try_exit().is_none() {
        note_stop(pilot.dir());
        pilot.signal(Signal::SIGTERM);
    }
    let code = pilot.wait_exit(PATIENCE).code();
    drop(others);
    let lines = pilot.journal().lines();
    let mut problems = rules.problems(&lines);
    if !missing.is_empty() {
        problems.push(format!("waited in vain for {missing:?}"));
    }
    if code != Some(0) {
        problems.push(format!("status {code:?}"));
    }
    let left = services(consul);
    if !left.is_empty() {
        problems.push(format!("{left:?} stays in the catalogue"));
    }
    if !problems.is_empty() {
        let said = [tree.to_string(), lines.join("\n"), pilot.stdout()].join("\n---\n");
        problems.push(said);
    }
    Record {
        lines,
        code,
        problems,
    }
}

/// An instance of each watched service, there as long as this lives.
struct Others<'a> {
    consul: &'a Consul,
    ids: Vec<String>,
}

impl<'a> Others<'a> {
    fn register(consul: &'a Consul, tree: &Value) -> Others<'a> {
        let watched = rewrite::watched(tree).into_iter().enumerate();
        let ids = watched.map(|(index, (service, tag))| {
            let id = format!("other-{index}");
            let tags: Vec<String> = tag.into_iter().collect();
            let body = serde_json::json!({
                "Name": service, "ID": id, "Address": "10.0.0.1", "Port": 80, "Tags": tags,
            });
            consul.put("/v1/agent/service/register", &body.to_string());
            id
        });
        let ids = ids.collect();
        Others { consul, ids }
    }
}

impl Drop for Others<'_> {
    fn drop(&mut self) {
        // After a failure the catalogue may be the reason for it.
        let ids = self.ids.iter().filter(|_| !std::thread::panicking());
        for id in ids {
            let path = format!("/v1/agent/service/deregister/{id}");
            self.consul.put(&path, "");
        }
    }
}

fn services(consul: &Consul) -> Vec<String> {
    let found = consul.get("/v1/agent/services").json();
    let found = found.as_object();
    found.map_or_else(Vec::new, |all| all.keys().cloned().collect())
}

/// Waits for these lines, or for the end of the program; gives those that did not come.
fn wait_for_lines(pilot: &mut Running, mut wanted: Vec<String>) -> Vec<String> {
    holds_within(PATIENCE, &mut || {
        let has_ended = pilot.try_exit().is_some();
        let lines = pilot.journal().lines();
        wanted.retain(|line| !lines.contains(line));
        wanted.is_empty() || has_ended
    });
    wanted
}

/// Before the signal, so that whatever it causes comes after.
fn note_stop(dir: &Path) {
    let journal = OpenOptions::new()
        .append(true)
        .create(true)
        .open(dir.join("journal"));
    let mut journal = journal.expect("a directory of ours takes files");
    journal
        .write_all(format!("{STOP}\n").as_bytes())
        .expect("a file of ours");
}
