//! What becomes of a line on its way from a job to the log (L01, L02, L07, L08), and how lines look.

use serde_json::Value;

use crate::support::{PATIENCE, Pilot, Running, Signal};

/// A configuration with its control socket, these settings of the log, and these jobs.
fn logging(settings: &str, jobs: &str) -> Pilot {
    Pilot::config(&format!(
        "{{ control: {{ socket: '@DIR@/control.socket' }}, stopTimeout: 1, logging: {{ {settings} }}, jobs: {jobs} }}"
    ))
    .env("TZ", "UTC")
}

/// Runs a configuration to its end and returns all that it wrote.
fn run(pilot: Pilot) -> Running {
    let mut pilot = pilot.start();
    assert!(pilot.wait_exit(PATIENCE).success(), "{}", pilot.stdout());
    pilot
}

/// Every line as JSON; fails for a line that is none.
fn parsed(pilot: &Running) -> Vec<Value> {
    let text = pilot.stdout();
    let read = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("`{line}` is no JSON: {error}"))
    };
    text.lines().map(read).collect()
}

/// The lines that a job wrote, in order; the program's own about it begin with its name.
fn of_job<'a>(lines: &'a [Value], job: &str) -> Vec<&'a Value> {
    let own = format!("{job} exited");
    let mut found: Vec<&Value> = lines.iter().filter(|line| line["job"] == job).collect();
    found.retain(|line| line["level"] == "info" && !message(line).starts_with(&own));
    found
}

fn message(line: &Value) -> &str {
    line["msg"].as_str().expect("a message")
}

/// The output lines in the `default` format: behind `TIME NAME PID `, of this job or check alone.
fn payloads<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let payload = |line: &'a str| {
        let (_, rest) = line.split_once(' ')?;
        let (pid, payload) = rest
            .strip_prefix(name)?
            .strip_prefix(' ')?
            .split_once(' ')?;
        pid.parse::<u32>().ok()?;
        Some(payload)
    };
    text.lines().filter_map(payload).collect()
}

/// Whether a line is the pattern with a time at `TIME`, with a fraction of a second only if it may have one, and a number at
/// `PID`, and not a byte more or less.
fn fits(pattern: &str, line: &str, fraction: bool) -> bool {
    // A pattern may have its pid in front of its time.
    let mut rest = line;
    let mut pattern = pattern;
    loop {
        let place = ["TIME", "PID"]
            .into_iter()
            .filter_map(|word| Some((pattern.find(word)?, word)));
        let Some((at, word)) = place.min() else {
            return rest == pattern;
        };
        let Some(behind) = rest.strip_prefix(&pattern[..at]) else {
            return false;
        };
        let of_time = |letter: char| letter.is_ascii_digit() || "-:.TZ".contains(letter);
        let end = behind
            .find(|letter: char| !of_time(letter))
            .unwrap_or(behind.len());
        let (value, after) = behind.split_at(end);
        let right = match word {
            "TIME" => is_time(value, fraction),
            _ => value.parse::<u32>().is_ok(),
        };
        if !right {
            return false;
        }
        rest = after;
        pattern = &pattern[at + word.len()..];
    }
}

/// RFC 3339 in UTC, without zeros at the end of the fraction.
fn is_time(text: &str, fraction: bool) -> bool {
    let Some(text) = text.strip_suffix('Z') else {
        return false;
    };
    let (date, digits) = text.split_once('.').unwrap_or((text, "1"));
    let shape: String = date
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '9' } else { letter })
        .collect();
    shape == "9999-99-99T99:99:99" && !digits.ends_with('0') && (fraction || !text.contains('.'))
}

#[test]
fn l01_ten_megabytes_without_a_newline_pass() {
    const LENGTH: usize = 10_000_000;
    let script =
        format!("head -c {LENGTH} /dev/zero | tr '\\\\0' x; echo; echo after; exec sleep 60");
    let pilot = logging(
        "",
        &format!("[{{ name: 'app', exec: ['sh', '-c', \"{script}\"] }}]"),
    )
    .start();
    pilot.wait_for_line(" after", PATIENCE);
    let text = pilot.stdout();
    let lines = payloads(&text, "app");
    let (last, pieces) = lines.split_last().expect("lines");
    assert_eq!(*last, "after");
    let (end, marked) = pieces.split_last().expect("pieces");
    let content = |piece: &&str| piece.strip_suffix(" [...]").expect("a mark").len();
    let long: usize = marked.iter().map(content).sum();
    assert_eq!(long + end.len(), LENGTH);
    assert!(pieces.len() > 100 && end.bytes().all(|byte| byte == b'x'));
    let program = crate::support::Process::read(pilot.pid()).expect("it runs");
    let peak = program.status_field("VmHWM").expect("a peak");
    let kilobytes: usize = peak
        .split(' ')
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a number");
    // The line alone is 10 MB; the program, its libraries included, stays below twice that.
    assert!(kilobytes < 20_000, "{peak}");
}

#[test]
fn l01_json_marks_the_pieces() {
    let script = "head -c 100000 /dev/zero | tr '\\\\0' x; echo; echo after";
    let pilot = run(logging(
        "format: 'json'",
        &format!("[{{ name: 'app', exec: ['sh', '-c', \"{script}\"] }}]"),
    ));
    let lines = parsed(&pilot);
    let of_app = of_job(&lines, "app");
    let (after, pieces) = of_app.split_last().expect("lines");
    assert_eq!(message(after), "after");
    let lengths: Vec<usize> = pieces.iter().map(|piece| message(piece).len()).collect();
    assert_eq!(lengths.iter().sum::<usize>(), 100_000);
    let partial: Vec<bool> = pieces
        .iter()
        .map(|piece| piece["partial"] == true)
        .collect();
    assert_eq!(partial, [true, true, true, true, true, true, false]);
}

#[test]
fn l02_the_last_line_needs_no_newline() {
    let mut pilot = logging(
        "",
        r#"[
            { name: 'ends', exec: ['sh', '-c', 'printf "first\\nlast of ends"'] },
            { name: 'killed', exec: ['sh', '-c', 'printf "last of killed"; kill -KILL $$'] },
            { name: 'stopped', exec: ['sh', '-c', 'printf "last of stopped"; exec sleep 60'] },
        ]"#,
    )
    .start();
    pilot.wait_for_line("last of ends", PATIENCE);
    pilot.wait_for_line("last of killed", PATIENCE);
    pilot.wait_until(PATIENCE, "the command behind the text", || {
        pilot
            .find("sleep 60")
            .iter()
            .any(|found| found.command == "sleep 60")
    });
    pilot.signal(Signal::SIGTERM);
    assert!(pilot.wait_exit(PATIENCE).success());
    let text = pilot.stdout();
    assert_eq!(payloads(&text, "ends"), ["first", "last of ends"]);
    assert_eq!(payloads(&text, "killed"), ["last of killed"]);
    assert_eq!(payloads(&text, "stopped"), ["last of stopped"]);
}

#[test]
fn l07_lines_of_fifty_jobs_stay_whole() {
    const JOBS: usize = 50;
    const LINES: usize = 100;
    let text = "a".repeat(300);
    let script = format!(
        "i=0; while [ $i -lt {LINES} ]; do echo \"{{\\\"job\\\":$0,\\\"i\\\":$i,\\\"text\\\":\\\"{text}\\\"}}\"; i=$((i+1)); done"
    );
    let job =
        |number| format!("{{ name: 'job-{number}', exec: ['sh', '@DIR@/write', '{number}'] }}");
    let jobs: Vec<String> = (0..JOBS).map(job).collect();
    let jobs = format!("[{}]", jobs.join(","));
    let script = script.replace("$0", "$1");
    let pilot = run(logging("format: 'json'", &jobs).file("write", &script));
    let lines = parsed(&pilot);
    for number in 0..JOBS {
        let written = of_job(&lines, &format!("job-{number}"));
        let inner = written.iter().map(|line| -> Value {
            serde_json::from_str(message(line)).expect("what the job wrote is JSON, whole")
        });
        let expected =
            (0..LINES).map(|i| serde_json::json!({ "job": number, "i": i, "text": text }));
        assert!(inner.eq(expected), "job-{number}");
    }
}

/// Every byte, in lines of some length, with all that is special to some format.
fn blob() -> Vec<u8> {
    let mut blob = Vec::new();
    for round in 0..400_u32 {
        blob.extend((0..=255_u8).map(|byte| byte.wrapping_add(round.to_le_bytes()[0])));
        blob.extend_from_slice(b"\r\n\x1b[31mred\x1b[0m \"quoted\\ \xff\xfe \xe2\x82\n\n");
    }
    blob.extend_from_slice(b"no newline");
    blob
}

#[test]
fn l07_raw_output_is_byte_identical() {
    let blob = blob();
    let pilot = logging(
        "output: 'stderr'",
        "[{ name: 'app', exec: ['cat', '@DIR@/blob'], logging: { raw: true } },
          { name: 'other', exec: ['sh', '-c', 'echo prefixed'] }]",
    );
    std::fs::write(pilot.dir().join("blob"), &blob).expect("a directory of ours");
    let pilot = run(pilot);
    assert!(pilot.stdout_bytes() == blob, "raw output was changed");
    assert_eq!(payloads(&pilot.stderr(), "other"), ["prefixed"]);
}

#[test]
fn l08_bytes_of_any_kind_keep_json_valid() {
    let blob = blob();
    let pilot = logging(
        "format: 'json'",
        "[{ name: 'app', exec: ['cat', '@DIR@/blob'] }]",
    );
    std::fs::write(pilot.dir().join("blob"), &blob).expect("a directory of ours");
    let pilot = run(pilot);
    let lines = parsed(&pilot);
    let expected = blob.split(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        String::from_utf8_lossy(line)
    });
    let written = of_job(&lines, "app");
    assert!(
        written.iter().map(|line| message(line)).eq(expected),
        "lines were changed"
    );
}

#[test]
fn l08_the_default_format_changes_no_byte_of_a_line() {
    let blob = blob();
    let pilot = logging("", "[{ name: 'app', exec: ['cat', '@DIR@/blob'] }]");
    std::fs::write(pilot.dir().join("blob"), &blob).expect("a directory of ours");
    let pilot = run(pilot);
    let written = pilot.stdout_bytes();
    let behind_pid = |line: &[u8]| -> Option<Vec<u8>> {
        let mut words = line.splitn(4, |byte| *byte == b' ');
        let (name, pid) = (words.nth(1)?, words.next()?);
        let is_output = name == b"app" && pid.iter().all(u8::is_ascii_digit);
        is_output.then(|| words.next().unwrap_or_default().to_vec())
    };
    let lines = written.split(|byte| *byte == b'\n').filter_map(behind_pid);
    let lines: Vec<Vec<u8>> = lines.collect();
    let expected = blob.split(|byte| *byte == b'\n');
    let expected: Vec<&[u8]> = expected
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect();
    assert!(lines == expected, "lines were changed");
}

#[test]
fn every_format_is_exact_for_job_check_and_message() {
    let jobs = r#"[{ name: 'my app', exec: ['sh', '-c', 'echo "two words"; echo word; echo; exec sleep 60'],
        health: { exec: ['sh', '-c', 'echo "say \\"hi\\""'], interval: '50ms', ttl: 1 } }]"#;
    for (format, expected) in [
        (
            "default",
            [
                "TIME control: serving at @DIR@/control.socket",
                "TIME my app PID two words",
                "TIME my app PID word",
                "TIME my app PID ",
                "TIME check.my app PID say \"hi\"",
            ],
        ),
        (
            "text",
            [
                "time=\"TIME\" level=info msg=\"control: serving at @DIR@/control.socket\" ",
                "time=\"TIME\" level=info msg=\"two words\" job=\"my app\" pid=PID ",
                "time=\"TIME\" level=info msg=word job=\"my app\" pid=PID ",
                "time=\"TIME\" level=info job=\"my app\" pid=PID ",
                "time=\"TIME\" level=info msg=\"say \\\"hi\\\"\" check=\"check.my app\" pid=PID ",
            ],
        ),
        (
            "json",
            [
                r#"{"level":"info","msg":"control: serving at @DIR@/control.socket","time":"TIME"}"#,
                r#"{"job":"my app","level":"info","msg":"two words","pid":PID,"time":"TIME"}"#,
                r#"{"job":"my app","level":"info","msg":"word","pid":PID,"time":"TIME"}"#,
                r#"{"job":"my app","level":"info","msg":"","pid":PID,"time":"TIME"}"#,
                r#"{"check":"check.my app","level":"info","msg":"say \"hi\"","pid":PID,"time":"TIME"}"#,
            ],
        ),
    ] {
        let pilot = logging(&format!("format: '{format}'"), jobs).start();
        pilot.wait_for_line("say", PATIENCE);
        pilot.wait_until(PATIENCE, "the job's own process", || {
            !pilot.find("sleep 60").is_empty()
        });
        let pids: Vec<String> = pilot
            .find("sleep 60")
            .iter()
            .map(|found| found.pid.to_string())
            .collect();
        pilot.wait_for_lines(&pids[0], 3, PATIENCE);
        let text = pilot.stdout();
        for pattern in expected {
            let pattern = pattern.replace("@DIR@", &pilot.dir().display().to_string());
            let found = text
                .lines()
                .any(|line| fits(&pattern, line, format != "text"));
            assert!(found, "{format}: no `{pattern}` in\n{text}");
        }
    }
}

#[test]
fn d47_a_job_s_output_does_not_depend_on_our_level() {
    for level in ["PANIC", "ERROR", "warn"] {
        let settings = format!("level: '{level}'");
        let pilot = run(logging(
            &settings,
            "[{ name: 'app', exec: ['sh', '-c', 'echo out; echo err >&2'] }]",
        ));
        assert_eq!(payloads(&pilot.stdout(), "app"), ["out", "err"]);
        assert!(!pilot.stdout().contains("serving"), "{}", pilot.stdout());
    }
}
