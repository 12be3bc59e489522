//! One scrape: what is counted, and what is so at this moment.

use std::time::{Duration, Instant};

use super::counts::Counts;
use super::exposition::{Exposition, Type, whole};
use super::job::{JobCounts, Verdict};
use crate::events::JobId;
use crate::jobs::JobState;
use crate::services::Subject;

/// What is so at the moment of a scrape.
#[derive(Clone, Debug, Default)]
pub struct Present<'p> {
    pub version: &'p str,
    pub commit: &'p str,
    pub jobs: Vec<PresentJob>,
    /// Each name once.
    pub watches: Vec<PresentWatch>,
    pub maintenance: bool,
    /// Name, what waits in it, what fits into it.
    pub queues: Vec<(&'static str, usize, usize)>,
    /// Requests of the control socket by path and status.
    pub control: Vec<(&'static str, u16, u64)>,
    /// Scrapes that were answered, and that could not be.
    pub scrapes: (u64, u64),
    /// Commands started; first processes, and others, that were collected.
    pub processes: (u64, u64, u64),
    /// Processes that the kernel killed for want of memory.
    pub oom_kills: u64,
    /// Lines of the log.
    pub log_lines: u64,
    /// Lines lost, by why.
    pub log_dropped: [(&'static str, u64); 3],
    pub usage: Option<Usage>,
}

/// A job at the moment of a scrape.
#[derive(Clone, Copy, Debug)]
pub struct PresentJob {
    pub id: JobId,
    pub state: JobState,
    /// A word of `/status`.
    pub status: &'static str,
}

/// A watch at the moment of a scrape.
#[derive(Clone, Debug)]
pub struct PresentWatch {
    pub name: String,
    /// `None` before the first answer.
    pub instances: Option<usize>,
    /// Since the last answer of the catalogue about it.
    pub age: Option<Duration>,
}

/// What this process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    pub cpu_seconds: f64,
    pub open_files: u64,
    pub max_files: u64,
    pub virtual_bytes: u64,
    pub resident_bytes: u64,
    /// Since 1970.
    pub start_seconds: f64,
    pub threads: u64,
}

/// The states of a job by their names.
const STATES: [(JobState, &str); 9] = [
    (JobState::Waiting, "waiting"),
    (JobState::Idle, "idle"),
    (JobState::Running, "running"),
    (JobState::Backoff, "backoff"),
    (JobState::Stopping, "stopping"),
    (JobState::Complete, "complete"),
    (JobState::Skipped, "skipped"),
    (JobState::Failed, "failed"),
    (JobState::Stopped, "stopped"),
];

const STATUSES: [&str; 4] = ["unknown", "healthy", "unhealthy", "maintenance"];

fn bit(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

impl Counts {
    /// Writes everything that the program knows of itself.
    pub fn write(&self, present: &Present<'_>, out: &mut Exposition, now: Instant) {
        self.write_original(present, out);
        self.write_jobs(present, out, now);
        self.write_checks(out);
        self.write_catalogue(present, out);
        self.write_program(present, out);
        if let Some(usage) = present.usage {
            usage.write(out);
        }
    }

    /// Names and words are the original's.
    fn write_original(&self, present: &Present<'_>, out: &mut Exposition) {
        let help = "count of ContainerPilot events, partitioned by type and source";
        let mut events = out.family("containerpilot_events", Type::Counter, help);
        self.global.write(&mut events, "global");
        for (signal, tally) in &self.signals {
            tally.write(&mut events, &signal.to_string());
        }
        for job in self.jobs.values() {
            job.events.write(&mut events, &job.name);
            job.check_events
                .write(&mut events, &format!("check.{}", job.name));
        }
        for (name, tally) in &self.watches {
            tally.write(&mut events, &format!("watch.{name}"));
        }
        let help = "count of requests to control socket, partitioned by path and HTTP code";
        let mut requests = out.family("containerpilot_control_http_requests", Type::Counter, help);
        for (path, code, count) in &present.control {
            let code = code.to_string();
            requests.sample(&[("code", &code), ("path", path)], whole(*count));
        }
        let help = "gauge of instances found for each ContainerPilot watch, partitioned by service";
        let mut instances = out.family("containerpilot_watch_instances", Type::Gauge, help);
        for watch in &present.watches {
            if let Some(count) = watch.instances {
                instances.sample(&[("service", &watch.name)], whole(count as u64));
            }
        }
        let help = "Total number of HTTP requests made.";
        let mut scrapes = out.family("http_requests_total", Type::Counter, help);
        for (code, count) in [("200", present.scrapes.0), ("503", present.scrapes.1)] {
            let labels = [("code", code), ("handler", "prometheus"), ("method", "get")];
            scrapes.sample(&labels, whole(count));
        }
    }

    fn write_jobs(&self, present: &Present<'_>, out: &mut Exposition, now: Instant) {
        let jobs = || {
            let jobs = present.jobs.iter();
            jobs.filter_map(|job| Some((job, self.jobs.get(&job.id)?)))
        };
        let help = "Where a job stands: 1 for its state, 0 for the others.";
        let mut family = out.family("containerpilot_job_state", Type::Gauge, help);
        for (job, counts) in jobs() {
            for (state, word) in STATES {
                let labels = [("job", counts.name.as_str()), ("state", word)];
                family.sample(&labels, bit(state == job.state));
            }
        }
        let help =
            "The health of a job, in the words of /status: 1 for what holds, 0 for the others.";
        let mut family = out.family("containerpilot_job_status", Type::Gauge, help);
        for (job, counts) in jobs() {
            for word in STATUSES {
                let labels = [("job", counts.name.as_str()), ("status", word)];
                family.sample(&labels, bit(word == job.status));
            }
        }
        self.of_jobs(
            out,
            "containerpilot_job_starts_total",
            Type::Counter,
            STARTS,
            |job| Some(whole(job.starts)),
        );
        self.of_jobs(
            out,
            "containerpilot_job_restarts_total",
            Type::Counter,
            RESTARTS,
            |job| Some(whole(job.starts.saturating_sub(1))),
        );
        self.of_jobs(
            out,
            "containerpilot_job_timeouts_total",
            Type::Counter,
            TIMEOUTS,
            |job| Some(whole(job.timeouts)),
        );
        self.of_jobs(
            out,
            "containerpilot_job_last_exit_status",
            Type::Gauge,
            LAST_EXIT,
            |job| job.last_exit.map(|exit| f64::from(exit.status())),
        );
        self.of_jobs(
            out,
            "containerpilot_job_last_run_seconds",
            Type::Gauge,
            LAST_RUN,
            |job| job.last_run.map(|length| length.as_secs_f64()),
        );
        self.of_jobs(
            out,
            "containerpilot_job_uptime_seconds",
            Type::Gauge,
            UPTIME,
            |job| {
                let live = job.main.as_ref()?;
                Some(now.saturating_duration_since(live.since).as_secs_f64())
            },
        );
    }

    fn of_jobs(
        &self,
        out: &mut Exposition,
        name: &str,
        kind: Type,
        help: &str,
        value: impl Fn(&JobCounts) -> Option<f64>,
    ) {
        let mut family = out.family(name, kind, help);
        for job in self.jobs.values() {
            if let Some(value) = value(job) {
                family.sample(&[("job", &job.name)], value);
            }
        }
    }

    fn write_checks(&self, out: &mut Exposition) {
        let checked = || self.jobs.values().filter(|job| job.results != [0; 4]);
        let help = "Checks of a job that have ended, by how.";
        let mut family = out.family("containerpilot_check_results_total", Type::Counter, help);
        for job in checked() {
            for ((_, word), count) in Verdict::ALL.iter().zip(job.results) {
                let labels = [("job", job.name.as_str()), ("result", word)];
                family.sample(&labels, whole(count));
            }
        }
        let help = "How long the checks of a job took.";
        let mut family = out.family("containerpilot_check_duration_seconds", Type::Summary, help);
        for job in checked() {
            let labels = [("job", job.name.as_str())];
            family.totals(&labels, job.check_time.as_secs_f64(), job.checked(), false);
        }
        let help = "How long the last check of a job took.";
        let name = "containerpilot_check_last_duration_seconds";
        self.of_jobs(out, name, Type::Gauge, help, |job| {
            job.last_check.map(|took| took.as_secs_f64())
        });
    }

    fn write_catalogue(&self, present: &Present<'_>, out: &mut Exposition) {
        let help = "Time since the catalogue last answered about a watch.";
        let mut family = out.family("containerpilot_watch_age_seconds", Type::Gauge, help);
        for watch in &present.watches {
            if let Some(age) = watch.age {
                family.sample(&[("service", &watch.name)], age.as_secs_f64());
            }
        }
        let help = "Calls to the catalogue, by what was asked and what came of it.";
        let mut family = out.family("containerpilot_consul_requests_total", Type::Counter, help);
        for ((subject, result), count) in &self.calls {
            let labels = [("call", call_name(*subject)), ("result", *result)];
            family.sample(&labels, whole(*count));
        }
        let help = "How long calls to the catalogue took that it answers at once.";
        let mut family = out.family(
            "containerpilot_consul_request_duration_seconds",
            Type::Summary,
            help,
        );
        for (subject, (time, count)) in &self.call_times {
            let labels = [("call", call_name(*subject))];
            family.totals(&labels, time.as_secs_f64(), *count, false);
        }
    }

    fn write_program(&self, present: &Present<'_>, out: &mut Exposition) {
        let help = "The version of the program; always 1.";
        let labels = [("version", present.version), ("commit", present.commit)];
        let mut family = out.family("containerpilot_build_info", Type::Gauge, help);
        family.sample(&labels, 1.0);
        let help = "Whether maintenance is on.";
        let mut family = out.family("containerpilot_maintenance", Type::Gauge, help);
        family.sample(&[], bit(present.maintenance));
        let help = "Reloads of the configuration, by whether it was good.";
        let mut family = out.family("containerpilot_reloads_total", Type::Counter, help);
        for (word, count) in [("ok", self.reloads.0), ("failed", self.reloads.1)] {
            family.sample(&[("result", word)], whole(count));
        }
        let help = "Whether the last reload was refused.";
        let mut family = out.family("containerpilot_last_reload_failed", Type::Gauge, help);
        family.sample(&[], bit(self.last_reload_failed));
        let help = "Requests to record metrics that were refused.";
        let mut family = out.family("containerpilot_metrics_refused_total", Type::Counter, help);
        family.sample(&[], whole(self.refused));
        let help = "What waits for the loop.";
        let mut family = out.family("containerpilot_queue_length", Type::Gauge, help);
        for (name, length, _) in &present.queues {
            family.sample(&[("queue", name)], whole(*length as u64));
        }
        let help = "How much may wait for the loop.";
        let mut family = out.family("containerpilot_queue_limit", Type::Gauge, help);
        for (name, _, limit) in &present.queues {
            family.sample(&[("queue", name)], whole(*limit as u64));
        }
        let help = "How long the loop worked before it looked for news again.";
        let mut family = out.family("containerpilot_loop_turn_seconds", Type::Histogram, help);
        self.turns.write(&mut family, &[]);
        let help = "How long after a deadline the loop came to it.";
        let mut family = out.family("containerpilot_loop_delay_seconds", Type::Histogram, help);
        self.delays.write(&mut family, &[]);
        let (spawned, collected, orphans) = present.processes;
        let help = "Commands that were started, checks among them.";
        let mut family = out.family("containerpilot_spawned_total", Type::Counter, help);
        family.sample(&[], whole(spawned));
        let help = "Ended processes that were collected: of runs, and orphans.";
        let mut family = out.family("containerpilot_reaped_total", Type::Counter, help);
        for (kind, count) in [("run", collected), ("orphan", orphans)] {
            family.sample(&[("kind", kind)], whole(count));
        }
        let help = "Processes of the container that the kernel killed for want of memory.";
        let mut family = out.family("containerpilot_oom_kills_total", Type::Counter, help);
        family.sample(&[], whole(present.oom_kills));
        let help = "Lines that were given to the log.";
        let mut family = out.family("containerpilot_log_lines_total", Type::Counter, help);
        family.sample(&[], whole(present.log_lines));
        let help = "Lines that the log lost: ours and jobs' for want of room, and those its destination refused.";
        let mut family = out.family("containerpilot_log_dropped_total", Type::Counter, help);
        for (why, count) in present.log_dropped {
            family.sample(&[("kind", why)], whole(count));
        }
    }
}

const STARTS: &str = "Runs of a job's command.";
const RESTARTS: &str = "Runs of a job's command after its first.";
const TIMEOUTS: &str = "Runs of a job that lasted longer than its timeout.";
const LAST_EXIT: &str =
    "The status of a job's last run as a shell would report it: 128 and the number for a signal.";
const LAST_RUN: &str = "How long a job's last run lasted that has ended.";
const UPTIME: &str = "How long a job's present run has lasted.";

fn call_name(subject: Subject) -> &'static str {
    match subject {
        Subject::Registration => "register",
        Subject::HealthUpdate => "update",
        Subject::Deregistration => "deregister",
        Subject::Inspection => "inspect",
        Subject::Watch => "watch",
        Subject::Pulse => "pulse",
    }
}

impl Usage {
    /// The names and words of Prometheus' own clients.
    fn write(&self, out: &mut Exposition) {
        let help = "Total user and system CPU time spent in seconds.";
        let mut family = out.family("process_cpu_seconds_total", Type::Counter, help);
        family.sample(&[], self.cpu_seconds);
        for (name, help, value) in [
            (
                "process_open_fds",
                "Number of open file descriptors.",
                self.open_files,
            ),
            (
                "process_max_fds",
                "Maximum number of open file descriptors.",
                self.max_files,
            ),
            (
                "process_virtual_memory_bytes",
                "Virtual memory size in bytes.",
                self.virtual_bytes,
            ),
            (
                "process_resident_memory_bytes",
                "Resident memory size in bytes.",
                self.resident_bytes,
            ),
            (
                "process_threads",
                "Number of OS threads in the process.",
                self.threads,
            ),
        ] {
            out.family(name, Type::Gauge, help)
                .sample(&[], whole(value));
        }
        let help = "Start time of the process since unix epoch in seconds.";
        let mut family = out.family("process_start_time_seconds", Type::Gauge, help);
        family.sample(&[], self.start_seconds);
    }
}
