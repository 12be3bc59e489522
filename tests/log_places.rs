//! Where the log goes, and what happens when that place takes nothing (L04, L05, L06, L10, L11).

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;

use crate::support::{PATIENCE, Pilot, Process, Running, Signal};

/// A job that adds a line to the journal each time it is started, and a check of another that does so too.
const LIVELY: &str = r"
    { name: 'tick', exec: ['sh', '-c', 'echo tick >> @DIR@/journal'], when: { interval: '50ms' } },
    { name: 'checked', exec: 'sleep 60', health: { exec: ['sh', '-c', 'echo check >> @DIR@/journal; echo chat'],
        interval: '50ms', ttl: 1 } },
    { name: 'crash', exec: ['sh', '-c', 'echo crash >> @DIR@/journal; exit 3'], restarts: 'unlimited' },
";

fn config(settings: &str, jobs: &str) -> String {
    format!(
        "{{ control: {{ socket: '@DIR@/control.socket' }}, stopTimeout: 1, logging: {{ {settings} }}, jobs: [{jobs}] }}"
    )
}

/// Waits until jobs, checks and restarts have each gone on for some rounds from now.
fn expect_lively(pilot: &Running) {
    let count = |what: &str| {
        let lines = pilot.journal().lines();
        lines.iter().filter(|line| *line == what).count()
    };
    for what in ["tick", "check", "crash"] {
        let before = count(what);
        let rounds = if what == "crash" { 1 } else { 3 };
        pilot.wait_until(PATIENCE, what, || count(what) >= before + rounds);
    }
}

/// Waits until there is a file of this name in the program's directory.
fn expect_file(pilot: &Running, name: &str) {
    pilot.wait_until(PATIENCE, name, || pilot.dir().join(name).exists());
}

/// The numbers that a job `app` wrote, from a stream in the `default` format, and how many it is said to have lost.
fn numbers(lines: &[String]) -> (Vec<u32>, u32) {
    let mut written = Vec::new();
    let mut lost = 0;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [_, "app", _, number] => written.extend(number.parse::<u32>()),
            [_, "WARN", "output", "dropped", "job=app", count] => {
                lost += count
                    .strip_prefix("lines=")
                    .map_or(0, |n| n.parse().expect("a count"));
            }
            _ => {}
        }
    }
    (written, lost)
}

/// What a stream holds until its end, as lines.
fn read_lines(stream: impl std::io::Read) -> Vec<String> {
    let lines = BufReader::new(stream).lines();
    lines.map_while(Result::ok).collect()
}

/// Numbers to write: more than pipes and queue can hold.
const NUMBERS: u32 = 400_000;

fn numbering() -> String {
    format!(
        "{LIVELY} {{ name: 'app', exec: ['sh', '-c', 'seq 1 {NUMBERS}; touch @DIR@/written; exec sleep 60'] }}"
    )
}

#[test]
fn l04_with_block_a_job_waits_and_nothing_else_does() {
    let mut pilot = Pilot::config(&config("overflow: 'block'", &numbering()))
        .unread_stdout()
        .start();
    expect_lively(&pilot);
    // The queue and the pipes are full when the job's command waits in a write and its output is still missing.
    pilot.wait_until(PATIENCE, "the job waits", || {
        pilot.find("seq").iter().any(|seq| seq.state == 'S')
    });
    expect_lively(&pilot);
    assert_eq!(pilot.request("GET", "/v3/ping", "").status, 200);
    pilot.wait_until(PATIENCE, "no zombie", || pilot.zombies() == 0);
    assert!(
        !pilot.dir().join("written").exists(),
        "nobody read it, yet all is written"
    );
    let reader = pilot.take_stdout();
    let reading = std::thread::spawn(move || read_lines(reader));
    expect_file(&pilot, "written");
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    let (written, lost) = numbers(&reading.join().expect("the reader ends"));
    assert!(
        written.iter().copied().eq(1..=NUMBERS),
        "{} of {NUMBERS}",
        written.len()
    );
    assert_eq!(lost, 0);
}

#[test]
fn l04_with_drop_a_job_goes_on_and_losses_are_counted() {
    let mut pilot = Pilot::config(&config("overflow: 'drop'", &numbering()))
        .unread_stdout()
        .start();
    expect_file(&pilot, "written");
    expect_lively(&pilot);
    let reader = pilot.take_stdout();
    let reading = std::thread::spawn(move || read_lines(reader));
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    let (written, lost) = numbers(&reading.join().expect("the reader ends"));
    assert!(written.is_sorted());
    assert!(lost > 0);
    assert_eq!(u32::try_from(written.len()).expect("few") + lost, NUMBERS);
}

#[test]
fn l04_a_stop_does_not_wait_for_a_reader() {
    let config = config("", &numbering());
    let Some(mut pilot) = Pilot::config(&config).unread_stdout().start_as_pid1() else {
        return;
    };
    expect_lively(&pilot);
    pilot.wait_until(PATIENCE, "the job waits", || {
        pilot.find("seq").iter().any(|seq| seq.state == 'S')
    });
    pilot.signal(Signal::SIGTERM);
    // Nobody ever reads.
    assert!(pilot.wait_exit(PATIENCE).success());
}

#[test]
fn l05_a_reader_that_goes_away_takes_nothing_with_it() {
    // The job's own pipe is ours, so it may write for ever without a signal.
    let writer = "{ name: 'app', exec: ['sh', '-c', 'seq 1 100000; echo written > @DIR@/written; exec sleep 60'] }";
    let mut pilot = Pilot::config(&config("", &format!("{LIVELY} {writer}")))
        .unread_stdout()
        .start();
    let mut reader = pilot.take_stdout();
    reader.read_exact(&mut [0; 1000]).expect("it writes");
    drop(reader);
    expect_file(&pilot, "written");
    expect_lively(&pilot);
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}

#[test]
fn l05_closed_streams_are_no_obstacle() {
    for closed in [">&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let mut pilot =
            Pilot::behind(&format!("exec @PILOT@ {closed}"), &config("", LIVELY)).start();
        expect_lively(&pilot);
        // No file or socket of the program took the place of a stream that children inherit.
        let checked = pilot.find("sleep 60");
        for stream in 0..3 {
            let open = fs::read_link(format!("/proc/{}/fd/{stream}", checked[0].pid));
            let open = open.expect("a stream").display().to_string();
            assert!(
                open == "/dev/null" || open.starts_with("pipe:"),
                "{stream}: {open}"
            );
        }
        pilot.signal(Signal::SIGTERM);
        assert!(pilot.wait_exit(PATIENCE).success(), "{closed}");
    }
}

#[test]
fn l06_a_job_without_streams_costs_nothing() {
    let jobs =
        "{ name: 'app', exec: ['sh', '-c', 'exec >&- 2>&-; touch @DIR@/closed; exec sleep 60'] }";
    let mut pilot = Pilot::config(&config("", jobs)).start();
    expect_file(&pilot, "closed");
    let program = Process::read(pilot.pid()).expect("it runs");
    let pipes = || {
        let links = fs::read_dir(format!("/proc/{}/fd", program.pid)).expect("its descriptors");
        let links = links.filter_map(|link| fs::read_link(link.ok()?.path()).ok());
        // Its own two streams are pipes as well.
        links
            .filter(|link| link.to_string_lossy().starts_with("pipe:"))
            .count()
    };
    let own_streams = pipes_of_a_jobless_program();
    pilot.wait_until(PATIENCE, "the job's pipe is closed", || {
        pipes() == own_streams
    });
    // A spin never sleeps; at rest nothing at all happens. Waking up to be looked at takes no switch of its own.
    let switches = || {
        program
            .status_field("voluntary_ctxt_switches")
            .expect("a count")
    };
    let ticks = || cpu_ticks(program.pid);
    let asleep = || Process::read(program.pid).is_some_and(|program| program.state == 'S');
    pilot.wait_until(PATIENCE, "it sleeps", asleep);
    let before = (switches(), ticks());
    for _ in 0..200 {
        assert!(asleep(), "it does something");
    }
    assert_eq!((switches(), ticks()), before);
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}

/// How many pipes the program holds when it has no job's.
fn pipes_of_a_jobless_program() -> usize {
    let raw = "{ name: 'app', exec: ['sleep', '60'], logging: { raw: true } }";
    let pilot = Pilot::config(&config("", raw)).start();
    pilot.wait_until(PATIENCE, "the job", || !pilot.find("sleep 60").is_empty());
    let links = fs::read_dir(format!("/proc/{}/fd", pilot.pid())).expect("its descriptors");
    let links = links.filter_map(|link| fs::read_link(link.ok()?.path()).ok());
    links
        .filter(|link| link.to_string_lossy().starts_with("pipe:"))
        .count()
}

/// Hundredths of a second that a process has spent.
fn cpu_ticks(pid: nix::unistd::Pid) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, rest) = stat.rsplit_once(") ").expect("a name");
    let fields: Vec<&str> = rest.split(' ').collect();
    let number = |at: usize| fields[at].parse::<u64>().expect("a number");
    number(11) + number(12)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn l10_a_moved_file_is_opened_anew_on_a_signal() {
    let jobs = "{ name: 'app', exec: ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.01; done'] }";
    let mut pilot = Pilot::config(&config("output: '@DIR@/log'", jobs)).start();
    let log = pilot.dir().join("log");
    let moved = pilot.dir().join("log.1");
    pilot.wait_until(PATIENCE, "lines", || text(&log).lines().count() > 5);
    fs::rename(&log, &moved).expect("a file of ours");
    // Between move and signal, lines go to the moved file (logrotate's protocol).
    let count = text(&moved).lines().count();
    pilot.wait_until(PATIENCE, "more lines", || {
        text(&moved).lines().count() > count
    });
    assert!(!log.exists());
    pilot.signal(Signal::SIGUSR1);
    pilot.wait_until(PATIENCE, "the new file", || text(&log).lines().count() > 5);
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    let all = text(&moved) + &text(&log);
    let lines: Vec<String> = all.lines().map(str::to_owned).collect();
    let (written, lost) = numbers(&lines);
    let count = u32::try_from(written.len()).expect("few");
    assert!(written.iter().copied().eq(1..=count), "{all}");
    assert_eq!(lost, 0);
    assert_eq!(pilot.stdout() + &pilot.stderr(), "");
}

#[test]
fn l10_while_the_directory_is_gone_stderr_takes_over() {
    let mut pilot = Pilot::config(&config("output: '@DIR@/logs/log'", LIVELY));
    let logs = pilot.dir().join("logs");
    fs::create_dir(&logs).expect("a directory of ours");
    pilot = pilot.env("LANG", "C");
    let mut pilot = pilot.start();
    pilot.wait_until(PATIENCE, "lines", || {
        text(&logs.join("log")).contains("chat")
    });
    fs::remove_dir_all(&logs).expect("a directory of ours");
    pilot.signal(Signal::SIGUSR1);
    pilot.wait_for_lines("chat", 3, PATIENCE);
    expect_lively(&pilot);
    let complaints = pilot.wait_for_lines("cannot write the log file", 1, PATIENCE);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    fs::create_dir(&logs).expect("a directory of ours");
    pilot.wait_until(PATIENCE, "the file is back", || {
        text(&logs.join("log")).contains("chat")
    });
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    assert_eq!(pilot.stdout(), "");
}

#[test]
fn l10_a_full_disk_stops_nothing() {
    // The journal lives in the test's directory, the log on a disk of 64 KiB.
    let script =
        "mkdir small && mount -t tmpfs -o size=64k tmpfs small && touch mounted && exec @PILOT@";
    let flood =
        "{ name: 'app', exec: ['sh', '-c', 'seq 1 100000; touch @DIR@/written; exec sleep 60'] }";
    let config = config("output: '@DIR@/small/log'", &format!("{LIVELY} {flood}"));
    let Some(mut pilot) = Pilot::behind(script, &config).start_as_pid1() else {
        return;
    };
    expect_file(&pilot, "written");
    expect_lively(&pilot);
    let complaints = pilot.wait_for_lines("cannot write the log file", 1, PATIENCE);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(
        complaints[0].contains("No space left on device"),
        "{complaints:?}"
    );
    // Room again: the file takes lines without being asked to.
    let log = format!(
        "/proc/{}/root{}",
        pilot.pid(),
        pilot.dir().join("small/log").display()
    );
    File::create(&log).expect("the disk can be reached through the program");
    pilot.wait_until(PATIENCE, "the file is back", || {
        text(Path::new(&log)).contains("chat")
    });
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    let from_stderr: Vec<String> = pilot.stderr().lines().map(str::to_owned).collect();
    let (written, _) = numbers(&from_stderr);
    assert_eq!(written.last(), Some(&100_000));
}

#[test]
fn l11_a_terminal_is_written_to_like_any_other_place() {
    let pty = nix::pty::openpty(None, None).expect("tests need /dev/ptmx");
    let terminal =
        fs::read_link(format!("/proc/self/fd/{}", pty.slave.as_raw_fd())).expect("a name");
    let script = format!("exec @PILOT@ > {}", terminal.display());
    let mut pilot = Pilot::behind(&script, &config("format: 'text'", LIVELY)).start();
    drop(pty.slave);
    let mut master = File::from(pty.master);
    let mut seen = Vec::new();
    // The coloured form is for terminals alone.
    while !String::from_utf8_lossy(&seen).contains("\x1b[36mcheck\x1b[0m=check.checked") {
        let mut chunk = [0; 4096];
        let count = master.read(&mut chunk).expect("the terminal is open");
        seen.extend_from_slice(&chunk[..count]);
    }
    expect_lively(&pilot);
    // It is left as it was: blocking for everybody else.
    let flags = fs::read_to_string(format!("/proc/{}/fdinfo/1", pilot.pid())).expect("its stdout");
    let flags = flags
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .expect("flags");
    let flags = u32::from_str_radix(flags.trim(), 8).expect("octal");
    assert_eq!(flags & 0o4000, 0, "somebody set O_NONBLOCK");
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}

#[test]
fn l11_a_file_is_only_added_to() {
    let pilot = Pilot::behind("exec @PILOT@ >> out", &config("", LIVELY))
        .file("out", "what was there before\n");
    let out = pilot.dir().join("out");
    let mut pilot = pilot.start();
    pilot.wait_until(PATIENCE, "lines", || text(&out).contains("chat"));
    // Somebody else writes to the same file.
    let mut other = File::options()
        .append(true)
        .open(&out)
        .expect("a file of ours");
    other
        .write_all(b"from elsewhere\n")
        .expect("a file of ours");
    expect_lively(&pilot);
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    let text = text(&out);
    assert!(text.starts_with("what was there before\n"), "{text}");
    assert!(text.contains("\nfrom elsewhere\n"), "{text}");
}

#[test]
fn l11_a_pipe_keeps_its_flags() {
    let mut pilot = Pilot::config(&config("", LIVELY)).start();
    pilot.wait_for_line("chat", PATIENCE);
    let flags = fs::read_to_string(format!("/proc/{}/fdinfo/1", pilot.pid())).expect("its stdout");
    let flags = flags
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .expect("flags");
    let flags = u32::from_str_radix(flags.trim(), 8).expect("octal");
    assert_eq!(flags & 0o4000, 0, "somebody set O_NONBLOCK");
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
}
