//! What the program counts of itself.

use super::*;
use crate::events::{
    Event, EventCode, Exit, Failure, JobId, PublicEvent, Run, RunId, RunKind, Signal, Source,
    StartFailure, WatchId,
};
use crate::jobs::{JobState, Note};
use crate::services::Subject;

const MAIN: RunKind = RunKind::Main;
const CHECK: RunKind = RunKind::Check(0);

fn run(id: u64, kind: RunKind) -> Run {
    Run {
        id: RunId(id),
        job: JobId(0),
        kind,
    }
}

fn exited(run: Run, exit: Exit) -> Event {
    Event::Exited {
        run,
        exit,
        left: false,
    }
}

fn counts(jobs: &[&str]) -> Counts {
    let mut counts = Counts::default();
    follow(&mut counts, jobs, &["db"]);
    counts
}

fn follow(counts: &mut Counts, jobs: &[&str], watches: &[&str]) {
    let jobs = (0..).map(JobId).zip(jobs.iter().copied());
    let watches = (0..).map(WatchId).zip(watches.iter().copied());
    counts.follow(jobs, watches);
}

#[track_caller]
fn expect(counts: &Counts, now: Instant, lines: &[&str], absent: &[&str]) {
    let present = Present {
        jobs: vec![PresentJob {
            id: JobId(0),
            state: JobState::Running,
            status: "healthy",
        }],
        ..Present::default()
    };
    let mut out = Exposition::new(Format::Text);
    counts.write(&present, &mut out, now);
    let text = out.finish();
    for line in lines {
        assert!(text.lines().any(|found| found == *line), "{line}\n{text}");
    }
    for part in absent {
        assert!(!text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn runs_are_measured() {
    let start = Instant::now();
    let mut counts = counts(&["app"]);
    counts.on_started(run(1, MAIN), start);
    expect(
        &counts,
        start + secs(3),
        &["containerpilot_job_uptime_seconds{job=\"app\"} 3"],
        &["last_run_seconds{", "last_exit_status{"],
    );
    // Of another run, or of a job that nobody has.
    let exit = Exit::Code(9);
    counts.on_event(&exited(run(7, MAIN), exit), start + secs(4));
    let stranger = Run {
        job: JobId(5),
        ..run(1, MAIN)
    };
    counts.on_event(&exited(stranger, exit), start + secs(4));
    let exit = Exit::Signal(Signal::TERM);
    counts.on_event(&exited(run(1, MAIN), exit), start + secs(5));
    // Not even tried.
    let failed = Event::SpawnFailed(run(2, MAIN), StartFailure::Exhausted);
    counts.on_event(&failed, start + secs(6));
    expect(
        &counts,
        start + secs(9),
        &[
            "containerpilot_job_last_run_seconds{job=\"app\"} 5",
            "containerpilot_job_last_exit_status{job=\"app\"} 143",
            "containerpilot_job_starts_total{job=\"app\"} 1",
            "containerpilot_job_restarts_total{job=\"app\"} 0",
        ],
        &["uptime_seconds{"],
    );
    let failed = Event::SpawnFailed(run(2, MAIN), StartFailure::NotFound);
    counts.on_event(&failed, start + secs(6));
    expect(
        &counts,
        start + secs(9),
        &[
            "containerpilot_job_last_exit_status{job=\"app\"} 127",
            "containerpilot_job_restarts_total{job=\"app\"} 1",
        ],
        &[],
    );
}

#[test]
fn checks_are_counted_by_how_they_end() {
    let start = Instant::now();
    let mut counts = counts(&["app"]);
    let mut check = |id, timed_out: bool, exit| {
        let run = run(id, CHECK);
        counts.on_started(run, start);
        if timed_out {
            let limit = secs(1);
            counts.on_note(JobId(0), &Note::TimedOut { run, limit });
        }
        counts.on_event(&exited(run, exit), start + secs(2));
    };
    check(1, false, Exit::Code(0));
    check(2, false, Exit::Code(0));
    check(3, false, Exit::Code(1));
    check(4, true, Exit::Signal(Signal::KILL));
    let failed = Event::SpawnFailed(run(5, CHECK), StartFailure::NotFound);
    counts.on_event(&failed, start);
    expect(
        &counts,
        start,
        &[
            "containerpilot_check_results_total{job=\"app\",result=\"passed\"} 2",
            "containerpilot_check_results_total{job=\"app\",result=\"failed\"} 1",
            "containerpilot_check_results_total{job=\"app\",result=\"timeout\"} 1",
            "containerpilot_check_results_total{job=\"app\",result=\"notStarted\"} 1",
            "containerpilot_check_duration_seconds_sum{job=\"app\"} 8",
            "containerpilot_check_duration_seconds_count{job=\"app\"} 4",
            "containerpilot_check_last_duration_seconds{job=\"app\"} 2",
            // A check is no run of its job.
            "containerpilot_job_timeouts_total{job=\"app\"} 0",
        ],
        &["last_exit_status{"],
    );
}

#[test]
fn events_have_the_original_s_labels() {
    let now = Instant::now();
    let mut counts = counts(&["app"]);
    let publish = |counts: &mut Counts, code, source| {
        counts.on_published(PublicEvent { code, source });
    };
    publish(&mut counts, EventCode::Startup, Source::Global);
    publish(&mut counts, EventCode::Healthy, Source::Job(JobId(0)));
    publish(&mut counts, EventCode::Healthy, Source::Job(JobId(0)));
    publish(&mut counts, EventCode::ExitFailed, Source::Check(JobId(0)));
    publish(&mut counts, EventCode::Changed, Source::Watch(WatchId(0)));
    publish(&mut counts, EventCode::Signal, Source::Signal(Signal::HUP));
    // Of what is not there.
    publish(&mut counts, EventCode::Healthy, Source::Job(JobId(9)));
    expect(
        &counts,
        now,
        &[
            "containerpilot_events{code=\"Startup\",source=\"global\"} 1",
            "containerpilot_events{code=\"StatusHealthy\",source=\"app\"} 2",
            "containerpilot_events{code=\"ExitFailed\",source=\"check.app\"} 1",
            "containerpilot_events{code=\"StatusChanged\",source=\"watch.db\"} 1",
            "containerpilot_events{code=\"Signal\",source=\"SIGHUP\"} 1",
            "containerpilot_job_state{job=\"app\",state=\"running\"} 1",
            "containerpilot_job_state{job=\"app\",state=\"failed\"} 0",
            "containerpilot_job_status{job=\"app\",status=\"healthy\"} 1",
        ],
        &[],
    );
}

#[test]
fn calls_and_reloads_are_counted_by_their_result() {
    let now = Instant::now();
    let mut counts = counts(&[]);
    let took = Some(Duration::from_millis(250));
    counts.on_call(Subject::Registration, None, took);
    let denied = Failure::Denied("x".to_owned());
    counts.on_call(Subject::Registration, Some(&denied), took);
    counts.on_call(Subject::Watch, None, None);
    counts.on_reload(true);
    counts.on_reload(false);
    counts.on_turn(Duration::from_millis(2));
    counts.on_delay(Duration::from_secs(9));
    expect(
        &counts,
        now,
        &[
            "containerpilot_consul_requests_total{call=\"register\",result=\"ok\"} 1",
            "containerpilot_consul_requests_total{call=\"register\",result=\"denied\"} 1",
            "containerpilot_consul_requests_total{call=\"watch\",result=\"ok\"} 1",
            "containerpilot_consul_request_duration_seconds_sum{call=\"register\"} 0.5",
            "containerpilot_consul_request_duration_seconds_count{call=\"register\"} 2",
            "containerpilot_reloads_total{result=\"ok\"} 1",
            "containerpilot_reloads_total{result=\"failed\"} 1",
            "containerpilot_last_reload_failed 1",
            "containerpilot_loop_turn_seconds_bucket{le=\"0.005\"} 1",
            "containerpilot_loop_delay_seconds_bucket{le=\"5\"} 0",
            "containerpilot_loop_delay_seconds_bucket{le=\"+Inf\"} 1",
        ],
        &["duration_seconds_count{call=\"watch\"}"],
    );
}

/// What has a name goes on under it, wherever it stands now.
#[test]
fn counts_follow_their_names_over_a_reload() {
    let now = Instant::now();
    let mut counts = counts(&["app", "old"]);
    counts.on_started(run(1, MAIN), now);
    let job = |id| Run {
        job: JobId(id),
        ..run(2, MAIN)
    };
    counts.on_started(job(1), now);
    let changed = PublicEvent {
        code: EventCode::Changed,
        source: Source::Watch(WatchId(0)),
    };
    counts.on_published(changed);
    follow(&mut counts, &["new", "app"], &["other", "db"]);
    counts.on_event(
        &exited(
            Run {
                job: JobId(1),
                ..run(1, MAIN)
            },
            Exit::Code(3),
        ),
        now,
    );
    expect(
        &counts,
        now,
        &[
            "containerpilot_job_starts_total{job=\"app\"} 1",
            "containerpilot_job_last_exit_status{job=\"app\"} 3",
            "containerpilot_job_starts_total{job=\"new\"} 0",
            "containerpilot_events{code=\"StatusChanged\",source=\"watch.db\"} 1",
        ],
        &["job=\"old\"", "watch.other"],
    );
}
