//! The log under load (L03, L09).

mod heavy {
    use std::io::{BufRead as _, BufReader};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, mpsc};

    use crate::support::{PATIENCE, Pilot, Process, Signal, wait_until};

    /// How many lines the quiet job of L03 gets through the flood.
    const ROUNDS: u32 = 20;

    #[test]
    fn l03_a_flood_holds_no_quiet_job_up() {
        // The quiet one writes its next line when the test has seen the last: a line that waits or gets lost shows.
        let quiet = format!(
            "i=1; while [ $i -le {ROUNDS} ]; do echo line $i of {ROUNDS}; until [ -e seen.$i ]; do sleep 0.005; done; i=$((i+1)); done; \
             exec sleep 60"
        );
        let config = format!(
            r#"{{ control: {{ socket: '@DIR@/control.socket' }}, stopTimeout: 1, jobs: [
                {{ name: 'flood', exec: ['yes', '{}'] }},
                {{ name: 'quiet', exec: ['sh', '-c', "{quiet}"] }},
            ] }}"#,
            "x".repeat(99)
        );
        let mut pilot = Pilot::config(&config).unread_stdout().start();
        let stream = BufReader::with_capacity(1 << 20, pilot.take_stdout());
        let (sender, seen) = mpsc::channel();
        let flood = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&flood);
        let reading = std::thread::spawn(move || {
            for line in stream.split(b'\n').map_while(Result::ok) {
                if line.ends_with(b"xxx") {
                    counted.fetch_add(1, Ordering::Relaxed);
                } else if let Some((_, text)) = String::from_utf8_lossy(&line).split_once(" line ")
                {
                    // Nobody listens any more when the test has failed.
                    let _ = sender.send(text.to_owned());
                }
            }
        });
        let mut before = 0;
        for round in 1..=ROUNDS {
            let text = seen.recv_timeout(PATIENCE).expect("the quiet job's line");
            assert_eq!(text, format!("{round} of {ROUNDS}"));
            // The next line goes into a flood that goes on, however the two were scheduled.
            wait_until(PATIENCE, "the flood goes on", || {
                flood.load(Ordering::Relaxed) >= before + 1000
            });
            before = flood.load(Ordering::Relaxed);
            std::fs::write(pilot.dir().join(format!("seen.{round}")), "")
                .expect("a directory of ours");
        }
        pilot.signal(Signal::SIGTERM);
        assert!(pilot.wait_exit(PATIENCE).success());
        reading.join().expect("the reader ends");
    }

    /// What must not grow: threads, descriptors, memory in kB.
    fn cost(program: &Process) -> (u64, u64, u64) {
        let number = |field: &str| {
            let text = program.status_field(field).expect("a field");
            text.split(' ')
                .next()
                .and_then(|n| n.parse().ok())
                .expect("a number")
        };
        (
            number("Threads"),
            program.open_files() as u64,
            number("VmRSS"),
        )
    }

    #[test]
    fn l09_chatty_checks_leave_nothing_behind() {
        let jobs = r#"[{ name: 'app', exec: ['sleep', '60'], health: { interval: '5ms', timeout: '10s', ttl: 1, exec:
            ['sh', '-c', 'i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo line $i; done; echo unfinished >> @DIR@/journal; printf "no newline"'] } }]"#;
        let mut pilot = Pilot::jobs(jobs).start();
        let program = Process::read(pilot.pid()).expect("it runs");
        pilot.journal().wait_for(50, PATIENCE);
        // A check is under way or not, so what is there after some hundred may exceed the first look by one check's share.
        let before = cost(&program);
        pilot.journal().wait_for(350, 2 * PATIENCE);
        let after = cost(&program);
        assert!(after.0 <= before.0.max(2), "threads: {before:?}, {after:?}");
        assert!(
            after.1 <= before.1 + 2,
            "descriptors: {before:?}, {after:?}"
        );
        assert!(after.2 <= before.2 + 2048, "memory: {before:?}, {after:?}");
        assert!(pilot.zombies() <= 1);
        pilot.signal(Signal::SIGTERM);
        assert!(pilot.wait_exit(PATIENCE).success());
        let last = pilot
            .stdout()
            .lines()
            .filter(|line| line.ends_with(" no newline"))
            .count();
        assert!(last >= 349, "{last}");
    }
}
