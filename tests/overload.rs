//! When everything comes at once, nothing comes for a while, or the kernel does not let go.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::kill;

use crate::support::raw::request;
use crate::support::{
    PATIENCE, Pilot, Process, Running, Scrape, Signal, compiled, free_port, skip, web,
};

/// The program and then all its processes get the signal.
fn all(pilot: &Running, signal: Signal) {
    pilot.signal(signal);
    for process in pilot.processes() {
        // One that has just ended is not collected by a program that is stopped, and missed by nobody otherwise.
        let _ = kill(process.pid, signal);
    }
}

#[test]
fn x08_a_freeze_is_no_storm_and_no_mass_kill() {
    // A check is under way; its limit and that of `app` pass in the freeze. With `busy` the program is seldom at rest, so
    // that the freeze may come in the middle of its work.
    let mut pilot = Pilot::jobs(
        r#"[{ name: "app", exec: "sleep 1000", timeout: "5s",
              health: { exec: "sleep 1.5", interval: "2s", timeout: "3s", ttl: 60 } },
            { name: "often", exec: ["sh", "-c", "echo ran >> @DIR@/journal"], timeout: "20s", when: { interval: "100ms" } },
            { name: "busy", exec: "true", timeout: "20s", when: { interval: "1ms", overlap: "queue" } }]"#,
    )
    .start();
    pilot.wait_until(PATIENCE, "a check", || !pilot.find("sleep 1.5").is_empty());
    pilot.journal().wait_for(2, PATIENCE);
    all(&pilot, Signal::SIGSTOP);
    let frozen = Instant::now();
    let before = pilot.journal().lines().len();
    // This is the fault, not a wait for anything.
    std::thread::sleep(Duration::from_millis(3500));
    let (asleep, thawed) = (frozen.elapsed(), Instant::now());
    all(&pilot, Signal::SIGCONT);
    pilot.wait_for_line("the program did not run for", PATIENCE);
    let ran = pilot.journal().wait_for(before + 6, PATIENCE).len() - before;
    // One run for all that was missed, one whose line was not written yet, and those of the schedule, which keeps its
    // phase: n whole intervals hold up to n + 1 of its instants.
    let due = thawed.elapsed().as_millis() / 100 + 3;
    assert!(
        ran as u128 <= due,
        "{ran} runs after {asleep:?} frozen, {due} were due"
    );
    assert!(
        !pilot.stdout().contains("timeout after"),
        "{}",
        pilot.stdout()
    );
    assert_eq!(pilot.find("sleep 1000").len(), 1);
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// Does something again and again in a thread of its own.
struct Flood {
    over: Arc<AtomicBool>,
    times: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Flood {
    fn of(mut action: impl FnMut() + Send + 'static) -> Flood {
        let (over, times) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let (end, count) = (Arc::clone(&over), Arc::clone(&times));
        let thread = std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                action();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Flood {
            over,
            times,
            thread,
        }
    }

    fn times(&self) -> usize {
        self.times.load(Ordering::Relaxed)
    }

    fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic");
    }
}

#[test]
fn x09_a_flood_of_signals_and_metrics_delays_nobody() {
    let port = free_port();
    let mut pilot = Pilot::config(&format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1,
             telemetry: {{ port: {port}, interfaces: "static:127.0.0.1", metrics: [
               {{ name: "requests", help: "h", type: "counter" }} ] }},
             jobs: [{{ name: "app", exec: "sleep 1000" }},
               {{ name: "hook", exec: ["sh", "-c", "echo hook up"], when: {{ source: "SIGUSR2" }} }}] }}"#
    ))
    .start();
    pilot.wait_for_line("serving", PATIENCE);
    let pid = pilot.pid();
    let signals = Flood::of(move || {
        // The program is not collected before this ends, so the number means nobody else.
        kill(pid, Signal::SIGUSR2).expect("a child of ours, ended or not");
    });
    let socket = pilot.dir().join("control.socket");
    let metrics = Flood::of(move || {
        // Refused or not: what counts is that it is asked.
        let _ = request(
            &socket,
            "POST",
            "/v3/metric",
            r#"{"requests": 1}"#,
            PATIENCE,
        );
    });
    pilot.wait_for_line("hook up", PATIENCE);
    // The best of some: the machine may have other things to do.
    let ping = || {
        let asked = Instant::now();
        for target in ["/v3/ping", "/api/v1/health"] {
            assert_eq!(pilot.request("GET", target, "").status, 200);
        }
        assert_eq!(web(port, "GET", "/healthz").status, 200);
        asked.elapsed()
    };
    let fastest = (0..20).map(|_| ping()).min();
    assert!(fastest < Some(Duration::from_secs(1)), "{fastest:?}");
    pilot.wait_until(PATIENCE, "10,000 signals and some metrics", || {
        signals.times() >= 10_000 && metrics.times() >= 100
    });
    let scrape = Scrape::text(&web(port, "GET", "/metrics").body);
    assert!(scrape.value("requests") >= 100.0);
    pilot.signal(Signal::SIGTERM);
    pilot.wait_until(PATIENCE, "the end", || {
        Process::read(pid).is_none_or(|it| it.is_zombie())
    });
    signals.stop();
    metrics.stop();
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

/// Who holds a process that KILL does not end; lets go of it when dropped, so also when a test fails.
struct Hold(Child);

impl Drop for Hold {
    fn drop(&mut self) {
        // Neither fails for a child that nobody has waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Holds the job, from now on unkillable; `None` where one process may not trace another.
fn unkillable(pilot: &Running) -> Option<Hold> {
    pilot.wait_until(PATIENCE, "the job", || !pilot.find("sleep 1000").is_empty());
    let job = pilot.find("sleep 1000").swap_remove(0).pid;
    let program = compiled(pilot.dir(), "hold", include_str!("stubs/hold.c"));
    let mut command = Command::new(program);
    command.arg(job.to_string()).stdout(Stdio::piped());
    let mut hold = Hold(command.spawn().expect("just compiled"));
    let mut said = [0; 4];
    let mut output = hold.0.stdout.take().expect("it is piped");
    if output.read_exact(&mut said).is_ok() {
        return Some(hold);
    }
    skip(
        "a process that KILL does not end",
        "one process may not trace another here",
    );
    None
}

fn with_one_job() -> Pilot {
    Pilot::config(
        r#"{ control: { socket: "@DIR@/control.socket" }, stopTimeout: "50ms", jobs: [{ name: "app", exec: "sleep 1000" }] }"#,
    )
}

#[test]
fn s11_an_unkillable_job_does_not_hold_up_the_stop() {
    let mut pilot = with_one_job().start();
    let Some(hold) = unkillable(&pilot) else {
        return;
    };
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
    pilot.may_leave_processes();
    drop(hold);
    let said = pilot.stdout();
    assert!(
        said.contains("app did not stop within 50ms: killing it"),
        "{said}"
    );
    assert!(said.contains("app does not end after KILL"), "{said}");
}

#[test]
fn s11_pid_1_leaves_an_unkillable_job_to_the_kernel() {
    let Some(mut pilot) = with_one_job().start_as_pid1() else {
        return;
    };
    let Some(hold) = unkillable(&pilot) else {
        return;
    };
    pilot.signal(Signal::SIGTERM);
    pilot.wait_for_line("leaving them to the kernel", PATIENCE);
    // It has called exit; the kernel ends a namespace only with everything in it.
    pilot.wait_until(PATIENCE, "its last system call", || {
        Process::read(pilot.pid()).is_some_and(|it| it.open_files() == 0)
    });
    drop(hold);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}
