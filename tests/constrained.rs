//! Where memory and processors are short: control groups with limits, and more processors to see than to use.

use std::fs;
use std::time::{Duration, Instant};

use crate::support::{
    ControlGroup, PATIENCE, Pilot, Process, Running, Scrape, Signal, compiled_library, free_port,
    try_get, wait_quiet, wait_until,
};

fn stop(mut pilot: Running) {
    pilot.signal(Signal::SIGTERM);
    assert_eq!(pilot.wait_exit(PATIENCE).code(), Some(0));
}

fn process(pilot: &Running) -> Process {
    Process::read(pilot.pid()).expect("it runs")
}

/// What `/metrics` says, as soon as it does: while the loop is busy it answers 503.
fn scrape(port: u16) -> Scrape {
    let mut scrape = None;
    wait_until(2 * PATIENCE, "an answer of /metrics", || {
        let answer = try_get(port, "/metrics", "*/*").filter(|answer| answer.status == 200);
        scrape = answer.map(|answer| Scrape::text(&answer.body));
        scrape.is_some()
    });
    scrape.expect("waited for")
}

fn telemetry(port: u16) -> String {
    format!(r#"telemetry: {{ port: {port}, interfaces: "static:127.0.0.1" }}"#)
}

/// One job takes more memory than there is, another starts a command that does, and somebody kills a third.
#[test]
fn x03_who_the_kernel_kills_for_memory_is_told() {
    let Some(group) = ControlGroup::new("memory", "jobs that are killed for memory") else {
        return;
    };
    group.set_memory(96 << 20);
    let port = free_port();
    let pilot = Pilot::config(&format!(
        r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 1, {},
             jobs: [
               {{ name: "hog", exec: "dd if=/dev/zero of=/dev/null bs=512M count=1", restarts: 1 }},
               {{ name: "shell", exec: ["sh", "-c", "dd if=/dev/zero of=/dev/null bs=512M count=1; exit 9"],
                  when: {{ source: "SIGUSR2" }} }},
               {{ name: "app", exec: "sleep 1000", restarts: 1 }},
             ] }}"#,
        telemetry(port)
    ))
    .after(&group.join())
    .start();
    let by_memory = "hog exited with error: signal: SIGKILL (out of memory)";
    pilot.wait_for_lines(by_memory, 2, PATIENCE);
    let noticed = "the kernel killed 1 process of this container for want of memory";
    pilot.wait_for_lines(noticed, 2, PATIENCE);
    // It is no success, it is tried again as any failure is, and whoever asks is told.
    let job = pilot.request("GET", "/api/v1/jobs/hog", "");
    let job: serde_json::Value = serde_json::from_str(&job.body).expect("JSON");
    assert_eq!(job["lastExit"], "signal: SIGKILL (out of memory)", "{job}");
    assert_eq!(
        (&job["state"], &job["runs"]),
        (&"complete".into(), &2.into()),
        "{job}"
    );
    let why = pilot.ask(&["why", "hog"]);
    assert!(
        why.stdout.contains("signal: SIGKILL (out of memory)"),
        "{why:?}"
    );

    // The victim is no first process: its shell says how it ended itself.
    pilot.signal(Signal::SIGUSR2);
    pilot.wait_for_line("shell exited with error: exit status 9", PATIENCE);
    assert_eq!(pilot.wait_for_lines(noticed, 3, PATIENCE).len(), 3);
    assert_eq!(group.oom_kills(), 3);

    // Whom somebody else kills was not short of memory.
    pilot.wait_until(PATIENCE, "the app", || pilot.find("sleep 1000").len() == 1);
    let app = pilot.find("sleep 1000").swap_remove(0).pid;
    // As long as a victim that is nobody's could be taken for the next one.
    std::thread::sleep(Duration::from_secs(1));
    nix::sys::signal::kill(app, Signal::SIGKILL).expect("it runs");
    let killed = pilot.wait_for_line("app exited with error", PATIENCE);
    assert!(
        killed.contains("signal: SIGKILL") && !killed.contains("memory"),
        "{killed}"
    );
    assert!(scrape(port).has("containerpilot_oom_kills_total", 3.0));
    let metric = "containerpilot_job_last_exit_status{job=\"hog\"}";
    assert!(scrape(port).has(metric, 137.0));
    stop(pilot);
}

/// The processor time of a start in ticks, and the most threads that were seen.
fn cost_of_a_start(pilot: Pilot, processors: &str) -> (u64, u64) {
    let pilot = pilot.start();
    let mut threads = 0;
    let mut look = || {
        let seen = process(&pilot).status_field("Threads").expect("a number");
        threads = threads.max(seen.parse().expect("a number"));
    };
    pilot.wait_until(PATIENCE, "the jobs and a check", || {
        look();
        pilot.find("sleep 1000").len() == 20
            && pilot.request("GET", "/api/v1/health?job=j0", "").status == 200
    });
    // What a job sees, so that the test is about what it says.
    let seen = pilot.wait_for_line(" nproc ", PATIENCE);
    assert!(seen.ends_with(&format!("nproc {processors}")), "{seen}");
    let ticks = process(&pilot).ticks;
    assert_eq!(pilot.ask(&["-reload"]).code, Some(0));
    look();
    wait_quiet(pilot.pid());
    look();
    stop(pilot);
    (ticks, threads)
}

#[test]
fn x10_the_number_of_processors_changes_neither_threads_nor_the_start() {
    let Some(group) = ControlGroup::new("cpu", "128 processors to see and half of one to use")
    else {
        return;
    };
    group.set_processor(50);
    let jobs: Vec<String> = (0..20)
        .map(|number| {
            format!(
                r#"{{ name: "j{number}", exec: "sleep 1000", health: {{ tcp: "127.0.0.1:1", interval: 1, ttl: 9 }} }},"#
            )
        })
        .collect();
    let jobs = jobs
        .concat()
        .replacen(r#"tcp: "127.0.0.1:1""#, r#"exec: "true""#, 1);
    let pilot = || {
        Pilot::jobs(&format!(
            r#"[{jobs} {{ name: "nproc", exec: {{ shell: "echo nproc $(nproc)" }} }}]"#
        ))
    };
    let first = "list=$(taskset -cp $$); taskset -cp \"${list##*[ ,-]}\" $$ > /dev/null";
    let one = cost_of_a_start(pilot().after(first), "1");
    let seeing_many = || {
        let pilot = pilot();
        let source = include_str!("stubs/processors.c");
        let library = compiled_library(pilot.dir(), "processors.so", source);
        pilot.env("LD_PRELOAD", &library.display().to_string())
    };
    let many = cost_of_a_start(seeing_many(), "128");
    let few = cost_of_a_start(seeing_many().after(&group.join()), "128");
    for cost in [one, many, few] {
        // The loop's, and the one that reads the file of a reload.
        assert!(cost.1 <= 2, "threads: {one:?}, {many:?}, {few:?}");
        // A spin would take all the processor time that there is.
        assert!(
            cost.0 <= 2 * one.0 + 20,
            "ticks: {one:?}, {many:?}, {few:?}"
        );
    }
}

mod heavy {
    use super::*;
    use crate::support::Consul;

    /// Whether a supervisor of this test may go before its jobs. A root of a container may not do all that root may, nobody goes
    /// back from a nice value that was asked for, and a debug build needs ten times the little time that there is. None of it
    /// can be installed, in CI neither.
    fn may_take_precedence(what: &str) -> bool {
        const SYS_NICE: u64 = 1 << 23;
        let me = Process::read(nix::unistd::getpid()).expect("it runs");
        let capabilities = me.status_field("CapEff").expect("a field");
        let is_able = u64::from_str_radix(&capabilities, 16).is_ok_and(|all| all & SYS_NICE != 0);
        let stat = fs::read_to_string("/proc/self/stat").expect("a file of the kernel");
        let (_, fields) = stat.rsplit_once(") ").expect("behind the name");
        let is_usual = fields.split(' ').nth(16) == Some("0");
        let is_released = std::env::var_os("PILOTHOUSE_STATIC").is_some();
        let may = is_able && is_usual && is_released;
        if !may {
            eprintln!(
                "left out: {what}: it needs CAP_SYS_NICE ({is_able}), a nice value of 0 ({is_usual}) and a released \
                 program ({is_released})"
            );
        }
        may
    }

    /// Fifty jobs that want all they can get, and a tenth of one processor for everybody. Without
    /// precedence over the jobs a stop took up to a minute: the kernel gives each process its part, which is two milliseconds in
    /// a second.
    #[test]
    fn x06_with_a_small_share_of_a_processor_the_stop_is_in_budget() {
        let what = "fifty busy jobs with a tenth of a processor";
        let Some(group) = ControlGroup::new("cpu", what) else {
            return;
        };
        if !may_take_precedence(what) {
            return;
        }
        let port = free_port();
        let jobs: Vec<String> = (0..50)
            .map(|number| {
                format!(r#"{{ name: "busy{number}", exec: ["sh", "-c", "echo ready >> journal; read go < @DIR@/gate; while :; do :; done"], restarts: "unlimited" }}"#)
            })
            .collect();
        let pilot = Pilot::config(&format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 8, shutdownTimeout: 10, {},
                 jobs: [{{ name: "tick", exec: "true", when: {{ interval: "200ms" }} }}, {}] }}"#,
            telemetry(port),
            jobs.join(", ")
        ))
        .released()
        .after(&group.join());
        let gate = pilot.dir().join("gate");
        nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).expect("a directory of ours");
        let mut pilot = pilot.start();
        // Who waits at the gate is in nobody's way while the others are started.
        pilot.journal().wait_for(50, PATIENCE);
        group.set_processor(10);
        drop(fs::write(&gate, "go\n".repeat(50)));
        pilot.wait_until(2 * PATIENCE, "they use up their share", || {
            group.throttled() > 20
        });
        // How late the loop is can be seen from outside; who asks is to be answered in the time of a test.
        group.set_processor(400);
        let late = "containerpilot_loop_delay_seconds_count";
        pilot.wait_until(PATIENCE, "the delay of the loop", || {
            scrape(port).value(late) > 0.0
        });
        group.set_processor(10);
        let asked = Instant::now();
        pilot.signal(Signal::SIGTERM);
        assert_eq!(pilot.wait_exit(2 * PATIENCE).code(), Some(0));
        let took = asked.elapsed();
        println!("stop of {what}: {took:?}");
        // The budget is the program's own: whom TERM does not end in time is killed, and that is said.
        let killed = pilot.stdout().matches("did not stop within").count();
        assert_eq!(killed, 0, "killed in a stop of {took:?}");
    }

    /// What 100 jobs and 100 watches may take of memory that nobody else can have; README says it.
    const BOUND: u64 = 8 << 20;

    fn own_memory(pilot: &Running) -> u64 {
        let field = process(pilot).status_field("RssAnon").expect("a field");
        let kilobytes = field.split(' ').next().and_then(|word| word.parse().ok());
        kilobytes.map(|number: u64| number << 10).expect("a number")
    }

    /// `jobs` jobs with a check a second, one in ten by a command, and `watches` watches of services that are there.
    fn crowd(consul: &Consul, port: u16, jobs: usize, watches: usize) -> Pilot {
        let job = |number| {
            let check = if number % 10 == 0 {
                r#"exec: "true""#
            } else {
                r#"file: "/""#
            };
            format!(
                r#"{{ name: "j{number}", exec: "sleep 1000", health: {{ {check}, interval: 1, ttl: 60, timeout: "10s" }} }}, "#
            )
        };
        let watch = |number| format!(r#"{{ name: "w{number}", interval: 1 }}, "#);
        let jobs: String = (0..jobs).map(job).collect();
        let watches: String = (0..watches).map(watch).collect();
        Pilot::config(&format!(
            r#"{{ control: {{ socket: "@DIR@/control.socket" }}, stopTimeout: 5, consul: "{}", {},
                 jobs: [{jobs} {{ name: "hook", exec: {{ shell: "echo changed >> @DIR@/journal" }},
                                  when: {{ source: "watch.w7", each: "changed" }} }}],
                 watches: [{watches}] }}"#,
            consul.address(),
            telemetry(port)
        ))
    }

    fn register(consul: &Consul, watches: usize) {
        for number in 0..watches {
            let body = format!(r#"{{ "Name": "w{number}", "Address": "10.0.0.1", "Port": 80 }}"#);
            let answer = consul.put("/v1/agent/service/register", &body);
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    fn checks(port: u16) -> f64 {
        let scrape = scrape(port);
        let of_checks = |(series, _): &(&String, &f64)| {
            series.starts_with("containerpilot_check_results_total")
        };
        scrape.series.iter().filter(of_checks).map(|it| it.1).sum()
    }

    #[test]
    fn x04_a_hundred_jobs_and_watches_fit_into_little_memory() {
        let Some(group) =
            ControlGroup::new("memory", "a hundred jobs and watches in little memory")
        else {
            return;
        };
        let consul = Consul::embedded();
        register(&consul, 100);
        let port = free_port();
        // The jobs need some as well: a `sleep` takes about a third of a megabyte, its check for a moment the same.
        group.set_memory(BOUND + (64 << 20));
        let mut pilot = crowd(&consul, port, 100, 100).after(&group.join()).start();
        pilot.journal().wait_for(1, 2 * PATIENCE);
        pilot.wait_until(2 * PATIENCE, "three checks of each", || {
            checks(port) >= 300.0
        });
        assert_eq!(pilot.find("sleep 1000").len(), 100);
        // Everything has been there once: what it holds now is what it needs.
        let memory = own_memory(&pilot);
        println!(
            "own memory with 100 jobs and 100 watches: {} KiB",
            memory >> 10
        );
        assert!(memory <= BOUND, "{memory}");
        assert_eq!(group.oom_kills(), 0);
        // It still does its work.
        let answer = consul.put("/v1/agent/service/deregister/w7", "");
        assert_eq!(answer.status, 200, "{answer:?}");
        pilot.journal().wait_for(2, PATIENCE);
        pilot.signal(Signal::SIGTERM);
        assert_eq!(pilot.wait_exit(2 * PATIENCE).code(), Some(0));
        assert!(!pilot.stdout().contains("out of memory"));
    }

    /// What must not grow: threads, descriptors, memory.
    fn size(pilot: &Running) -> (u64, u64, u64) {
        let program = process(pilot);
        let threads = program.status_field("Threads").expect("a number");
        let threads = threads.parse().expect("a number");
        (threads, program.open_files() as u64, own_memory(pilot))
    }

    /// The bytes that the program has read so far, from whatever.
    fn bytes_read(pilot: &Running) -> u64 {
        let io = fs::read_to_string(format!("/proc/{}/io", pilot.pid()));
        let io = io.expect("a process of ours");
        let line = io.lines().find_map(|line| line.strip_prefix("rchar: "));
        line.expect("a count").parse().expect("a number")
    }

    /// The share of delays of the loop since `before` that are at most this long.
    fn share_within(seconds: &str, before: &Scrape, now: &Scrape) -> f64 {
        let name = "containerpilot_loop_delay_seconds";
        let grown = |series: &str| now.value(series) - before.value(series);
        grown(&format!("{name}_bucket{{le=\"{seconds}\"}}")) / grown(&format!("{name}_count"))
    }

    #[test]
    fn x07_five_hundred_jobs_and_three_hundred_watches_grow_nothing() {
        let consul = Consul::embedded();
        register(&consul, 300);
        let port = free_port();
        let pilot = crowd(&consul, port, 500, 300).start_as_pid1();
        let Some(mut pilot) = pilot else { return };
        pilot.journal().wait_for(1, 3 * PATIENCE);
        let wait_checks = |count: f64| {
            pilot.wait_until(6 * PATIENCE, "checks", || checks(port) >= count);
        };
        wait_checks(1_500.0);
        let before = (size(&pilot), checks(port), process(&pilot).ticks);
        let at_first = scrape(port);
        wait_checks(before.1 + 2_500.0);
        let after = (size(&pilot), checks(port), process(&pilot).ticks);
        let (first, last) = (before.0, after.0);
        // The loop's, and four at most that look at files for it.
        assert!(last.0 <= 5, "threads: {first:?}, {last:?}");
        // Checks and scrapes under way hold some for a moment.
        assert!(last.1 <= first.1 + 64, "descriptors: {first:?}, {last:?}");
        assert!(last.2 <= first.2 + (2 << 20), "memory: {first:?}, {last:?}");
        let now = scrape(port);
        for queue in ["control", "consul", "checks", "telemetry"] {
            let [length, limit] = ["length", "limit"].map(|what| {
                now.value(&format!("containerpilot_queue_{what}{{queue=\"{queue}\"}}"))
            });
            assert!(length <= limit, "{queue}: {length} of {limit}");
        }
        // The goal is 99 % within 50 ms. A figure is for a quiet machine, so it is told and not judged.
        println!(
            "500 jobs, 300 watches: {:.1} % of the loop's delays within 50 ms, {:.0} ticks for {:.0} checks",
            100.0 * share_within("0.05", &at_first, &now),
            after.2 - before.2,
            after.1 - before.1
        );
        pilot.signal(Signal::SIGTERM);
        assert_eq!(pilot.wait_exit(3 * PATIENCE).code(), Some(0));
    }

    /// The list of five hundred children is read only when somebody may have left something: a check that starts nothing
    /// costs what it costs beside a few.
    #[test]
    fn x07_the_end_of_a_check_costs_the_same_beside_many_jobs() {
        let read_by_a_check = |jobs: usize| {
            let job = |number| format!(r#"{{ name: "j{number}", exec: "sleep 1000" }}, "#);
            let jobs: String = (0..jobs).map(job).collect();
            let pilot = Pilot::jobs(&format!(
                r#"[{jobs} {{ name: "app", exec: "sleep 1001", health: {{ interval: "10ms", ttl: 60, timeout: "10s",
                   exec: {{ shell: "echo checked >> @DIR@/journal" }} }} }}]"#
            ))
            .start_as_pid1();
            let mut pilot = pilot?;
            let journal = pilot.journal();
            let first = journal.wait_for(50, 3 * PATIENCE).len();
            let before = bytes_read(&pilot);
            let last = journal.wait_for(first + 300, 3 * PATIENCE).len();
            let read = bytes_read(&pilot) - before;
            pilot.signal(Signal::SIGTERM);
            assert_eq!(pilot.wait_exit(3 * PATIENCE).code(), Some(0));
            Some(read / (last - first) as u64)
        };
        let (Some(few), Some(many)) = (read_by_a_check(5), read_by_a_check(500)) else {
            return;
        };
        println!("bytes read for a check: {few} beside 5 jobs, {many} beside 500");
        // Each child is a number of some letters in the list.
        assert!(many < few + 500, "{few} beside 5 jobs, {many} beside 500");
    }
}
