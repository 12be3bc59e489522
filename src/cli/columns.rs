//! What people read about what runs, in 80 columns.

use std::fmt::Write as _;

use crate::control::{JobDetail, JobView, Status};

/// The name's column; a longer name is cut off.
const NAME: usize = 24;

/// The whole as a table.
pub(super) fn of(status: &Status) -> String {
    let mut text = format!(
        "pilothouse {}, pid {}: {} for {}{}\n\n",
        status.version,
        status.pid,
        status.state,
        span(status.uptime_ms),
        if status.maintenance {
            ", in maintenance"
        } else {
            ""
        }
    );
    row(
        &mut text,
        [
            "JOB",
            "STATE",
            "HEALTH",
            "PID",
            "SINCE",
            "RUNS",
            "LAST EXIT",
        ],
    );
    for job in &status.jobs {
        let pid = job
            .pid
            .map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let since = match (job.running_ms, job.next_start_ms) {
            (Some(since), _) => span(since),
            (None, Some(next)) => format!("in {}", span(next)),
            (None, None) => "-".to_owned(),
        };
        let exit = job.last_exit.as_deref().map_or("-".to_owned(), short_exit);
        row(
            &mut text,
            [
                &cut(&job.name, NAME),
                &job.state,
                health(job),
                &pid,
                &since,
                &job.runs.to_string(),
                &exit,
            ],
        );
    }
    watches(&mut text, status);
    services(&mut text, status);
    text
}

fn row(text: &mut String, cells: [&str; 7]) {
    let [name, state, health, pid, since, runs, exit] = cells;
    let line =
        format!("{name:<NAME$} {state:<8} {health:<11} {pid:>7} {since:>7} {runs:>5} {exit}");
    text.push_str(line.trim_end());
    text.push('\n');
}

fn health(job: &JobView) -> &str {
    match &job.health {
        _ if job.maintenance => "maintenance",
        Some(_) if job.checks_off => "off",
        Some(health) => health,
        None => "-",
    }
}

fn watches(text: &mut String, status: &Status) {
    if status.watches.is_empty() {
        return;
    }
    text.push_str("\nWATCH                    FOUND OF\n");
    for watch in &status.watches {
        let found = watch
            .found
            .map_or_else(|| "-".to_owned(), |found| found.to_string());
        let name = cut(&watch.name, NAME);
        let subject = cut(&watch.subject, 48);
        let _ = writeln!(text, "{name:<NAME$} {found:>5} {subject}");
    }
}

fn services(text: &mut String, status: &Status) {
    if status.services.is_empty() {
        return;
    }
    text.push_str("\nSERVICE                  CATALOGUE  ADDRESS\n");
    for service in &status.services {
        let name = cut(&service.name, NAME);
        let there = if service.registered {
            "registered"
        } else {
            "-"
        };
        let address = service.address.as_deref().unwrap_or("-");
        let port = service.port;
        let _ = writeln!(
            text,
            "{name:<NAME$} {there:<10} {}:{port}",
            cut(address, 38)
        );
    }
}

/// Why a job is as it is, as a part of a chain.
pub(super) fn reasons(detail: &JobDetail, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let job = &detail.job;
    let mut text = format!("{indent}{} is {}", job.name, state(job));
    if let Some(health) = &job.health {
        let _ = write!(text, ", {health}");
    }
    if let Some(exit) = &job.last_exit {
        let _ = write!(text, "; its last run ended with {exit}");
    }
    text.push('\n');
    if detail.any && detail.conditions.len() > 1 {
        let _ = writeln!(text, "{indent}  one of these is enough:");
    }
    for condition in &detail.conditions {
        let met = if condition.met { "yes" } else { "not yet" };
        let (event, source) = (&condition.event, &condition.source);
        let what = match event.strip_prefix("is ") {
            Some(state) => format!("{source} to be {state}"),
            None => format!("{event} of {source}"),
        };
        let _ = writeln!(text, "{indent}  waits for {what}: {met}");
    }
    for trigger in &detail.triggers {
        let _ = writeln!(text, "{indent}  starts at {trigger}");
    }
    if !detail.decisions.is_empty() {
        let _ = writeln!(text, "{indent}  last:");
    }
    for decision in &detail.decisions {
        let ago = span(decision.ago_ms);
        let _ = writeln!(text, "{indent}    {ago:>7} ago  {}", decision.what);
    }
    text
}

fn state(job: &JobView) -> String {
    let mut text = match (job.state.as_str(), job.running_ms, job.next_start_ms) {
        ("running", Some(since), _) => format!("running for {}", span(since)),
        ("backoff", _, Some(next)) => format!("restarted in {}", span(next)),
        ("stopped", ..) => "stopped by an operator".to_owned(),
        (state, ..) => state.to_owned(),
    };
    if job.checks_off {
        text += ", its checks are off";
    }
    if job.maintenance {
        text += ", in maintenance";
    }
    if job.starts_again {
        text += ", to start again";
    }
    text
}

/// `exit status 3` and `signal: SIGKILL` in fewer words.
fn short_exit(exit: &str) -> String {
    exit.replace("exit status", "exit").replace("signal: ", "")
}

/// The two greatest units.
fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    match (
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, 0) => format!("{millis}ms"),
        (0, 0, 0, seconds) => format!("{seconds}s"),
        (0, 0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (0, hours, minutes, _) => format!("{hours}h{minutes:02}m"),
        (days, hours, ..) => format!("{days}d{hours:02}h"),
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['~']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{ConditionView, Decision, ServiceView, WatchView};

    fn job(name: &str, state: &str) -> JobView {
        JobView {
            name: name.to_owned(),
            state: state.to_owned(),
            ..JobView::default()
        }
    }

    fn status() -> Status {
        Status {
            version: "0.1.0".to_owned(),
            pid: 1,
            state: "running".to_owned(),
            uptime_ms: 90_061_000,
            jobs: vec![
                JobView {
                    health: Some("unhealthy".to_owned()),
                    pid: Some(4_194_304),
                    running_ms: Some(3_599_000),
                    runs: 99_999,
                    last_exit: Some("signal: SIGVTALRM".to_owned()),
                    maintenance: true,
                    ..job("a-job-with-quite-a-long-name", "complete")
                },
                JobView {
                    runs: 3,
                    next_start_ms: Some(29_900),
                    last_exit: Some("exit status 255".to_owned()),
                    ..job("crash", "backoff")
                },
            ],
            watches: vec![WatchView {
                name: "db".to_owned(),
                subject: "x".repeat(200),
                found: Some(2),
            }],
            services: vec![ServiceView {
                name: "web".to_owned(),
                address: Some("fd00::1".repeat(10)),
                port: 65_535,
                registered: true,
                ..ServiceView::default()
            }],
            ..Status::default()
        }
    }

    #[test]
    fn a_table_has_80_columns_whatever_is_in_it() {
        let text = of(&status());
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", line.len());
        }
        let crash = text.lines().find(|line| line.starts_with("crash"));
        let crash: Vec<&str> = crash.expect("its row").split_whitespace().collect();
        assert_eq!(
            crash,
            [
                "crash", "backoff", "-", "-", "in", "29s", "3", "exit", "255"
            ]
        );
        assert!(
            text.starts_with("pilothouse 0.1.0, pid 1: running for 1d01h\n"),
            "{text}"
        );
    }

    #[test]
    fn reasons_are_sentences() {
        let condition = ConditionView {
            event: "is healthy".to_owned(),
            source: "db".to_owned(),
            met: false,
        };
        let detail = JobDetail {
            job: job("web", "waiting"),
            conditions: vec![condition],
            decisions: vec![Decision {
                ago_ms: 12_000,
                what: "an operator starts it".to_owned(),
            }],
            ..JobDetail::default()
        };
        assert_eq!(
            reasons(&detail, 1),
            "  web is waiting\n    waits for db to be healthy: not yet\n    last:\n          12s ago  an operator starts it\n"
        );
    }
}
