//! A reader of docker/README.md, who types what the page says, as it stands there.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::engine::{compose, found, said};
use super::{Container, Engine, PATIENCE};
use crate::manual::commands;
use crate::support::{holds_within, skip};

/// Somebody at a shell on the engine's host, with a block of the page to go through.
#[derive(Debug)]
pub(crate) struct Reader<'e> {
    engine: &'e Engine,
    place: PathBuf,
    blocks: VecDeque<Vec<String>>,
    lines: VecDeque<String>,
}

impl<'e> Reader<'e> {
    /// Stands in `place` of the checkout with the blocks of a section at hand; `None`, after saying why, on a machine without
    /// what they want.
    pub(crate) fn of(engine: &'e Engine, heading: &str, place: &str) -> Option<Self> {
        let what = format!("`{heading}` of docker/README.md");
        if compose().is_none() {
            let why = "set COMPOSE_BIN to the plugin of `docker compose`, or run `tests/run`, which gets it";
            skip(&what, why);
            return None;
        }
        if found("curl").is_none() {
            skip(&what, "there is no `curl`");
            return None;
        }
        Some(Self {
            engine,
            place: Path::new(env!("CARGO_MANIFEST_DIR")).join(place),
            blocks: commands("docker/README.md", heading).into(),
            lines: VecDeque::new(),
        })
    }

    /// Goes to the next block, which begins so.
    pub(crate) fn opens(&mut self, beginning: &str) {
        assert_eq!(self.lines, VecDeque::<String>::new(), "not typed yet");
        let block = self.blocks.pop_front().expect("a block more");
        assert!(block[0].starts_with(beginning), "{block:#?}");
        self.lines = block.into();
    }

    /// The next line, which begins so.
    pub(crate) fn line(&mut self, beginning: &str) -> String {
        let line = self.lines.pop_front().expect("a line more");
        assert!(
            line.starts_with(beginning),
            "`{line}`, and not `{beginning}`"
        );
        line
    }

    /// Types the next line, which begins so and succeeds: what it prints.
    pub(crate) fn types(&mut self, beginning: &str) -> String {
        let line = self.line(beginning);
        if let Some(place) = line.strip_prefix("cd ") {
            self.place.push(place);
            assert!(self.place.is_dir(), "{line}");
            return String::new();
        }
        let output = self.shell(&line).output().expect("a shell");
        assert!(output.status.success(), "{line}\n{}", said(&output));
        text(&output)
    }

    /// Types a line again and again until it prints what is wanted.
    pub(crate) fn types_until(&self, line: &str, what: &str, mut wanted: impl FnMut(&str) -> bool) {
        let mut last = String::new();
        let seen = holds_within(PATIENCE, &mut || {
            let output = self.shell(line).output().expect("a shell");
            last = said(&output);
            wanted(&text(&output))
        });
        assert!(seen, "{line}\nwaited in vain: {what}; at last:\n{last}");
    }

    /// Types the next line, whose command stays in the foreground, in a terminal of its own.
    pub(crate) fn leaves_running(&mut self, beginning: &str) -> Child {
        let line = self.line(beginning);
        let mut command = self.shell(&line);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("a shell")
    }

    /// The containers of a service, first one first.
    pub(crate) fn containers(&self, service: &str) -> Vec<Container<'e>> {
        let line = format!("docker compose ps --all --quiet {service}");
        let output = self.shell(&line).output().expect("a shell");
        assert!(output.status.success(), "{line}\n{}", said(&output));
        let ids = text(&output);
        ids.lines().map(|id| self.engine.container(id)).collect()
    }

    /// Nothing of the section is left to type.
    pub(crate) fn closes(self) {
        assert_eq!((self.lines.len(), self.blocks.len()), (0, 0), "{self:#?}");
    }

    /// With the program at hand, as it is in the image `empty`.
    fn shell(&self, line: &str) -> Command {
        let mut shell = self.engine.on_network(&["sh", "-c", line]);
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{path}:{}/empty", self.engine.dir().display());
        shell.current_dir(&self.place).env("PATH", path);
        shell
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
