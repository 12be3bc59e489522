//! What has to come before what, read from an expanded configuration alone, and whether a record keeps to it.
//!
//! A record has a line `start TAG` and `end TAG` for each run, `check TAG` for each check, and `stop` where the test sent
//! its TERM. Only what the configuration puts in order is compared: what runs side by side may come in any.

use std::collections::BTreeSet;

use serde_json::Value;

use super::tree::{list, text};

/// The line of the test's own TERM.
pub(super) const STOP: &str = "stop";

/// What a recorder does after its first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It waits for TERM.
    Serve,
    /// It ends with 0.
    Task,
    /// It ends with 1.
    Fail,
}

impl Mode {
    pub(super) fn word(self) -> &'static str {
        match self {
            Mode::Serve => "serve",
            Mode::Task => "task",
            Mode::Fail => "fail",
        }
    }

    fn of(word: &str) -> Mode {
        let all = [Mode::Serve, Mode::Task, Mode::Fail];
        let found = all.into_iter().find(|mode| mode.word() == word);
        found.unwrap_or_else(|| panic!("`{word}` is no mode of a recorder"))
    }
}

/// When something happens for the first time, if nobody but the test interferes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// By itself.
    Run,
    /// Only once the program is to stop.
    Stop,
    Never,
}

#[derive(Clone, Debug)]
struct Event {
    source: String,
    code: String,
}

#[derive(Clone, Debug)]
enum Start {
    AtOnce,
    Interval,
    /// All of these have happened.
    Once(Vec<Event>),
    Each(Event),
}

#[derive(Clone, Debug)]
struct Job {
    name: String,
    tag: String,
    /// `None`: it has no command.
    mode: Option<Mode>,
    start: Start,
    /// What must have come as well.
    after: Option<Event>,
    is_checked: bool,
    is_advertised: bool,
    is_agent: bool,
}

impl Job {
    fn of(value: &Value) -> Job {
        let name = text(value, "name").expect("a job has a name").to_owned();
        let words = |value: &Value| {
            let words = value.as_array().into_iter().flatten();
            words
                .filter_map(|word| word.as_str().map(str::to_owned))
                .collect::<Vec<_>>()
        };
        let exec = words(&value["exec"]);
        let check = words(&value["health"]["exec"]);
        let tag = exec.last().or(check.last()).unwrap_or(&name).clone();
        let when = &value["when"];
        Job {
            mode: exec.len().checked_sub(2).map(|at| Mode::of(&exec[at])),
            start: Start::of(when, &name),
            after: Event::of(&when["after"], "once"),
            is_checked: !check.is_empty(),
            is_advertised: !value["port"].is_null(),
            is_agent: exec.get(1).is_some_and(|word| word == "agent"),
            name,
            tag,
        }
    }

    fn line(&self, word: &str) -> String {
        format!("{word} {}", self.tag)
    }

    /// The event of another one's end that it belongs to.
    fn end_event(&self) -> Option<&Event> {
        let mut events = self.start.events().iter();
        events.find(|event| ["stopping", "stopped"].contains(&event.code.as_str()))
    }

    fn may_run_again(&self) -> bool {
        matches!(self.start, Start::Interval | Start::Each(_)) || self.mode != Some(Mode::Serve)
    }
}

impl Event {
    fn of(when: &Value, key: &str) -> Option<Event> {
        let source = text(when, "source").unwrap_or("global").to_owned();
        let code = text(when, key)?.to_owned();
        Some(Event { source, code })
    }

    /// Of `all: [ … ]`; `None` where something else is in it.
    fn all(when: &Value) -> Option<Vec<Event>> {
        let conditions = when["all"].as_array()?.iter();
        let event = |condition| Event::of(condition, "once").or_else(|| Event::of(condition, "is"));
        conditions.map(event).collect()
    }
}

impl Start {
    fn events(&self) -> &[Event] {
        match self {
            Start::AtOnce | Start::Interval => &[],
            Start::Once(events) => events,
            Start::Each(event) => std::slice::from_ref(event),
        }
    }

    fn of(when: &Value, job: &str) -> Start {
        if when.is_null() {
            Start::AtOnce
        } else if !when["interval"].is_null() {
            Start::Interval
        } else if let Some(event) = Event::of(when, "each") {
            Start::Each(event)
        } else if let Some(event) = Event::of(when, "once") {
            Start::Once(vec![event])
        } else if let Some(all) = Event::all(when) {
            Start::Once(all)
        } else {
            // Whoever adds such a file to the corpus has to say what it means here.
            panic!("job {job}: there is no rule for {when}")
        }
    }
}

/// A configuration as far as order is concerned.
#[derive(Debug)]
pub(super) struct Rules {
    jobs: Vec<Job>,
    watches: Vec<String>,
}

impl Rules {
    /// Of an expanded configuration whose commands are recorders.
    pub(super) fn of(tree: &Value) -> Rules {
        let names = list(tree, "watches")
            .iter()
            .filter_map(|watch| text(watch, "name"));
        Rules {
            jobs: list(tree, "jobs").iter().map(Job::of).collect(),
            watches: names.map(|name| format!("watch.{name}")).collect(),
        }
    }

    fn called(&self, name: &str) -> Vec<&Job> {
        self.jobs.iter().filter(|job| job.name == name).collect()
    }

    /// The one job of that name; `None` where the name is not enough to tell.
    fn source(&self, event: &Event) -> Option<&Job> {
        let found = self.called(&event.source);
        (found.len() == 1).then(|| found[0])
    }

    fn stage(&self, job: &Job) -> Stage {
        // A circle never begins; a chain is as long as there are jobs.
        self.stage_within(job, self.jobs.len())
    }

    fn stage_within(&self, job: &Job, depth: usize) -> Stage {
        let causes = job.start.events().iter().chain(&job.after);
        let stages = causes.map(|event| self.happens(event, depth));
        stages.max().unwrap_or(Stage::Run)
    }

    fn happens(&self, event: &Event, depth: usize) -> Stage {
        let Some(depth) = depth.checked_sub(1) else {
            return Stage::Never;
        };
        if event.source == "global" {
            return if event.code == "startup" {
                Stage::Run
            } else {
                Stage::Never
            };
        }
        if self.watches.contains(&event.source) {
            // The test gives every watch an instance, and leaves it there.
            return if event.code == "unhealthy" {
                Stage::Never
            } else {
                Stage::Run
            };
        }
        let sources = self.called(&event.source);
        let stages = sources
            .into_iter()
            .map(|job| self.of_job(job, &event.code, depth));
        stages.min().unwrap_or(Stage::Never)
    }

    fn of_job(&self, job: &Job, code: &str, depth: usize) -> Stage {
        let stage = self.stage_within(job, depth);
        let ends_by_itself = matches!(job.mode, Some(Mode::Task | Mode::Fail));
        match code {
            "exitSuccess" if job.mode == Some(Mode::Task) => stage,
            "exitFailed" if job.mode == Some(Mode::Fail) => stage,
            "healthy" if job.is_checked => stage,
            "running" if job.mode != Some(Mode::Fail) => stage,
            "stopping" | "stopped" if ends_by_itself => stage,
            "stopping" if stage == Stage::Run => Stage::Stop,
            "stopped" => stage.max(Stage::Stop),
            _ => Stage::Never,
        }
    }

    /// The lines that come before anybody stops the program.
    pub(super) fn first_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for job in self.jobs.iter().filter(|job| self.stage(job) == Stage::Run) {
            match job.mode {
                Some(Mode::Serve) => lines.push(job.line("start")),
                Some(_) => lines.extend([job.line("start"), job.line("end")]),
                None => {}
            }
            // A task with a check may be over before the check.
            if job.is_checked && matches!(job.mode, Some(Mode::Serve) | None) {
                lines.push(job.line("check"));
            }
        }
        lines
    }

    /// Pairs of lines: the first `start` or `end` of that tag of the left one comes before that of the right one.
    pub(super) fn orders(&self) -> BTreeSet<(String, String)> {
        let mut orders = BTreeSet::new();
        for job in self.jobs.iter().filter(|job| job.mode.is_some()) {
            let mut before = |left: String, right: String| orders.insert((left, right));
            let stage = self.stage(job);
            if stage == Stage::Never {
                continue;
            }
            before(job.line("start"), job.line("end"));
            if stage == Stage::Run {
                before(job.line("start"), STOP.to_owned());
            } else {
                before(STOP.to_owned(), job.line("start"));
            }
            for event in job.start.events().iter().chain(&job.after) {
                let Some(source) = self.source(event) else {
                    continue;
                };
                self.follow(job, event, source, &mut before);
            }
            for agent in self
                .jobs
                .iter()
                .filter(|other| other.is_agent && other.tag != job.tag)
            {
                if self.needs_agent(job) && self.stage(agent) == Stage::Run {
                    before(job.line("end"), agent.line("end"));
                }
            }
        }
        orders
    }

    /// What it means that `job` starts by an event of `source`.
    fn follow(
        &self,
        job: &Job,
        event: &Event,
        source: &Job,
        before: &mut impl FnMut(String, String) -> bool,
    ) {
        let stays = source.mode == Some(Mode::Serve);
        let has_command = source.mode.is_some();
        match event.code.as_str() {
            "stopping" if stays => {
                before(job.line("end"), source.line("end"));
            }
            "exitSuccess" | "exitFailed" | "stopping" | "stopped" if has_command => {
                before(source.line("end"), job.line("start"));
            }
            "healthy" => {
                before(source.line("check"), job.line("start"));
            }
            "running" if has_command => {
                before(source.line("start"), job.line("start"));
            }
            _ => {}
        }
        let needs = ["healthy", "running"].contains(&event.code.as_str());
        if needs && stays && job.mode == Some(Mode::Serve) && self.stage(job) == Stage::Run {
            before(job.line("end"), source.line("end"));
        }
    }

    /// What is advertised, and the hooks of its end.
    fn needs_agent(&self, job: &Job) -> bool {
        if job.is_agent {
            return false;
        }
        let source = job.end_event().and_then(|event| self.source(event));
        (job.is_advertised && job.mode == Some(Mode::Serve))
            || source.is_some_and(|source| source.is_advertised && !source.is_agent)
    }

    /// What is wrong with a record.
    pub(super) fn problems(&self, lines: &[String]) -> Vec<String> {
        let mut problems = Vec::new();
        let count = |line: &str| lines.iter().filter(|found| *found == line).count();
        let first = |line: &str| lines.iter().position(|found| found == line);
        let stop = first(STOP);
        for job in self.jobs.iter().filter(|job| job.mode.is_some()) {
            let (starts, ends) = (count(&job.line("start")), count(&job.line("end")));
            let tag = &job.tag;
            let stage = self.stage(job);
            if starts != ends {
                problems.push(format!("{tag}: {starts} starts and {ends} ends"));
            }
            if stage == Stage::Never && starts > 0 {
                problems.push(format!("{tag} ran, and nothing could start it"));
            }
            if starts > 1 && !job.may_run_again() {
                problems.push(format!("{tag} ran {starts} times"));
            }
            let must = stage == Stage::Run || (stage == Stage::Stop && stop.is_some());
            if must && starts == 0 {
                problems.push(format!("{tag} did not run"));
            }
        }
        for (left, right) in self.orders() {
            let places = (first(&left), first(&right));
            if let (Some(left_at), Some(right_at)) = places
                && left_at >= right_at
            {
                problems.push(format!("`{left}` comes after `{right}`"));
            }
            if let (None, Some(_)) = places
                && left != STOP
            {
                problems.push(format!("`{right}` without `{left}`"));
            }
        }
        problems
    }
}
