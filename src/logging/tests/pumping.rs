//! The jobs' output on its way.

use std::io::{Write, pipe};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::Duration;

use super::{Stage, run, settle, until};
use crate::config::{LogFormat, LogLevel, LoggingSettings, Overflow};
use crate::logging::output::{JOB_SHARE, MAX_LINGERING};
use crate::logging::{Dropped, Label, MAX_LINE, PumpHandle};

impl Stage {
    fn attached(settings: &LoggingSettings) -> Stage {
        let stage = Stage::new(settings);
        stage.logging.attach();
        stage
    }

    /// A run whose output the test writes.
    fn pump(&self, name: &str) -> (PumpHandle, OwnedFd) {
        let (reading, writing) = pipe().unwrap();
        let label = Label::job(name, 42);
        let handle = self.logging.pump(reading.into(), label).unwrap();
        (handle, writing.into())
    }

    async fn ended(&self) {
        until(|| self.logging.pumps() == 0).await;
    }

    async fn said(&mut self, lines: &[&str]) {
        until(|| self.stdout.count_lines() >= lines.len()).await;
        assert_eq!(self.stdout.lines(), lines);
    }
}

fn write(fd: impl AsFd, bytes: &[u8]) {
    assert_eq!(nix::unistd::write(fd, bytes).unwrap(), bytes.len());
}

fn drop_policy() -> LoggingSettings {
    LoggingSettings {
        overflow: Overflow::Drop,
        ..LoggingSettings::default()
    }
}

/// A run that writes this much in numbered lines and ends, from a thread, as it may have to wait.
fn flood(writing: OwnedFd, name: &'static str, lines: usize) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut out = std::io::BufWriter::new(std::fs::File::from(writing));
        for line in 0..lines {
            if writeln!(out, "{name} {line}").is_err() {
                return;
            }
        }
    })
}

#[test]
fn lines_get_their_label_and_carriage_returns_go() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (_run, out) = stage.pump("app");
        write(&out, b"one\r\ntwo\n\n");
        stage.said(&["app 42 one", "app 42 two", "app 42 "]).await;
    });
}

#[test]
fn d47_output_does_not_depend_on_our_level() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings {
            level: LogLevel::Error,
            ..LoggingSettings::default()
        });
        let (_run, out) = stage.pump("app");
        write(&out, b"one\n");
        stage.said(&["app 42 one"]).await;
    });
}

#[test]
fn l01_a_line_of_ten_megabytes_passes_in_bounded_memory() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (_run, out) = stage.pump("app");
        let writer = thread::spawn(move || {
            let mut out = std::fs::File::from(out);
            out.write_all(&b"x".repeat(10_000_000)).unwrap();
            out.write_all(b"\nnext\n").unwrap();
        });
        let mut most = 0;
        until(|| {
            most = most.max(stage.logging.shared().with(|output| output.queued()));
            stage.stdout.read().ends_with(b" next\n")
        })
        .await;
        writer.join().unwrap();
        assert!(most <= JOB_SHARE + 2 * MAX_LINE, "{most}");
        let lines = stage.stdout.lines();
        let (next, pieces) = lines.split_last().unwrap();
        assert!(next.ends_with("42 next"));
        let sizes: Vec<usize> = pieces
            .iter()
            .map(|piece| piece.matches('x').count())
            .collect();
        assert_eq!(sizes.iter().sum::<usize>(), 10_000_000);
        let (last, others) = pieces.split_last().unwrap();
        assert!(others.iter().all(|piece| piece.ends_with(" [...]")));
        assert!(last.ends_with('x'));
    });
}

#[test]
fn l02_the_last_line_needs_no_newline() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (_run, out) = stage.pump("app");
        write(&out, b"one\nlast");
        stage.said(&["app 42 one"]).await;
        drop(out);
        stage.said(&["app 42 one", "app 42 last"]).await;
        // As after a KILL: the run is gone, somebody else still has the pipe.
        let (run, out) = stage.pump("web");
        write(&out, b"half");
        run.finish();
        stage
            .said(&["app 42 one", "app 42 last", "web 42 half"])
            .await;
        stage.ended().await;
    });
}

#[test]
fn l04_a_reader_that_stalls_stops_the_jobs_and_nothing_else() {
    run(async {
        const LINES: usize = 200_000;
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (_run, out) = stage.pump("app");
        let writer = flood(out, "line", LINES);
        settle(&stage.logging).await;
        // The loop goes on: this test does. The job waits in its write, our own messages still find room.
        assert!(!writer.is_finished());
        let queued = stage.logging.shared().with(|output| output.queued());
        assert!(queued <= JOB_SHARE + 100, "{queued}");
        stage.say("still here");
        assert_eq!(stage.logging.dropped(), Dropped::default());
        until(|| stage.stdout.count_lines() == LINES + 1).await;
        writer.join().unwrap();
        let mut next = 0;
        for line in stage.stdout.lines() {
            if line != "still here" {
                assert_eq!(line, format!("app 42 line {next}"));
                next += 1;
            }
        }
        assert_eq!(next, LINES);
    });
}

#[test]
fn l04_what_is_dropped_is_counted() {
    run(async {
        const LINES: usize = 200_000;
        let mut stage = Stage::attached(&drop_policy());
        let (_run, out) = stage.pump("app");
        // Nobody reads, and yet the job comes to its end.
        let writer = flood(out, "line", LINES);
        until(|| writer.is_finished()).await;
        stage.ended().await;
        let dropped = stage.logging.dropped();
        assert!(dropped.job > 0);
        assert_eq!((dropped.own, dropped.refused), (0, 0));
        let report = format!("WARN output dropped job=app lines={}", dropped.job);
        until(|| stage.stdout.lines().contains(&report)).await;
        let lines = stage.stdout.lines();
        let whole = lines.iter().filter(|line| line.starts_with("app 42 line "));
        assert_eq!(whole.count() as u64 + dropped.job, LINES as u64);
    });
}

#[test]
fn a_reload_frees_a_job_that_waits() {
    run(async {
        let stage = Stage::attached(&LoggingSettings::default());
        let (_run, out) = stage.pump("app");
        let writer = flood(out, "line", 200_000);
        settle(&stage.logging).await;
        assert!(!writer.is_finished());
        stage.logging.apply(&drop_policy());
        until(|| writer.is_finished()).await;
    });
}

#[test]
fn l05_jobs_go_on_without_a_reader() {
    run(async {
        let Stage {
            logging, stdout, ..
        } = Stage::attached(&LoggingSettings::default());
        drop(stdout);
        let (reading, writing) = pipe().unwrap();
        let _run = logging.pump(reading.into(), Label::job("app", 42)).unwrap();
        let writer = flood(writing.into(), "line", 100_000);
        until(|| writer.is_finished() && logging.pumps() == 0).await;
        writer.join().unwrap();
        assert_eq!(logging.dropped().refused, 100_000);
    });
}

#[test]
fn l06_a_job_that_closes_its_output_costs_nothing() {
    run(async {
        let stage = Stage::attached(&LoggingSettings::default());
        let (run, out) = stage.pump("app");
        drop(out);
        stage.ended().await;
        run.finish();
        assert_eq!(stage.logging.pumps(), 0);
    });
}

#[test]
fn l03_a_flood_does_not_hold_up_a_quiet_job() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (_loud, out) = stage.pump("loud");
        let flood = flood(out, "line", usize::MAX);
        let (_quiet, out) = stage.pump("quiet");
        for number in 0..20 {
            write(&out, format!("{number}\n").as_bytes());
            let wanted = format!("quiet 42 {number}\n");
            until(|| memchr::memmem::find(stage.stdout.read(), wanted.as_bytes()).is_some()).await;
            // What of the flood came before: what was queued, and the reads between two looks at the other pipes.
            let before = stage.stdout.text.len();
            assert!(before < 16 * 1024 * 1024, "{before}");
            stage.stdout.text.clear();
        }
        assert!(!flood.is_finished(), "the flood was there all the time");
    });
}

#[test]
fn l07_lines_of_fifty_jobs_stay_whole() {
    run(async {
        const LINES: usize = 2000;
        let mut stage = Stage::attached(&LoggingSettings {
            format: LogFormat::Json,
            ..LoggingSettings::default()
        });
        let mut writers = Vec::new();
        for job in 0..50 {
            let (_run, out) = stage.pump(&format!("job{job}"));
            writers.push(thread::spawn(move || {
                let mut out = std::fs::File::from(out);
                for line in 0..LINES {
                    // Written in two parts, so that others come between.
                    write!(out, "{{\"job\":{job},").unwrap();
                    writeln!(out, "\"line\":{line}}}").unwrap();
                }
            }));
        }
        until(|| stage.stdout.count_lines() == 50 * LINES).await;
        let mut next = [0; 50];
        for line in stage.stdout.text().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let message: serde_json::Value =
                serde_json::from_str(line["msg"].as_str().unwrap()).unwrap();
            let job = usize::try_from(message["job"].as_u64().unwrap()).unwrap();
            assert_eq!(line["job"], format!("job{job}"));
            assert_eq!(message["line"], next[job]);
            next[job] += 1;
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

#[test]
fn l08_bytes_pass_the_default_format_as_they_are() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (_run, out) = stage.pump("app");
        let odd: Vec<u8> = (0..=255).filter(|&byte| byte != b'\n').collect();
        write(&out, &odd);
        write(&out, b"\n\x1b[31mred\x1b[0m\n");
        until(|| stage.stdout.count_lines() == 2).await;
        let text = stage.stdout.read();
        assert!(memchr::memmem::find(text, &odd).is_some());
        assert!(text.ends_with(b" app 42 \x1b[31mred\x1b[0m\n"));
    });
}

#[test]
fn l09_no_pump_outlives_its_run() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (_keep, first) = stage.pump("first");
        for number in 0..500 {
            let (run, out) = stage.pump("check");
            write(&out, format!("{number}").as_bytes());
            run.finish();
            drop(out);
            until(|| stage.logging.pumps() == 1).await;
        }
        assert_eq!(stage.stdout.count_lines(), 500);
        // Descriptors are given back: the next one is near the first.
        let probe = first.try_clone().unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&probe);
        assert!(number < 400, "{number}");
    });
}

#[test]
fn s10_a_grandchild_does_not_keep_the_pump() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (run, out) = stage.pump("app");
        write(&out, b"one\ntwo");
        run.finish();
        stage.said(&["app 42 one", "app 42 two"]).await;
        stage.ended().await;
        assert_eq!(nix::unistd::write(&out, b"x"), Err(nix::Error::EPIPE));
    });
}

#[test]
fn s10_a_grandchild_that_floods_is_cut_off() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (run, out) = stage.pump("app");
        let writer = thread::spawn(move || {
            let mut written = 0;
            while let Ok(count) = nix::unistd::write(&out, &[b'\n'; 4096]) {
                written += count;
            }
            written
        });
        until(|| !stage.stdout.read().is_empty()).await;
        run.finish();
        until(|| {
            stage.stdout.read();
            stage.logging.pumps() == 0
        })
        .await;
        assert!(writer.join().unwrap() > 0);
    });
}

#[test]
fn runs_that_are_gone_do_not_pile_up_before_a_stalled_reader() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (_loud, out) = stage.pump("loud");
        let writer = flood(out, "line", 200_000);
        settle(&stage.logging).await;
        let runs = MAX_LINGERING + 50;
        for _ in 0..runs {
            let (run, out) = stage.pump("check");
            write(&out, b"one\ntwo\nhalf");
            run.finish();
        }
        until(|| stage.logging.pumps() <= MAX_LINGERING + 1).await;
        let dropped = stage.logging.dropped().job;
        assert_eq!(dropped, 50 * 3);
        until(|| {
            stage.stdout.read();
            stage.logging.pumps() == 0
        })
        .await;
        writer.join().unwrap();
        let report = "WARN output dropped job=check lines=150".to_owned();
        until(|| stage.stdout.lines().contains(&report)).await;
        let lines = stage.stdout.lines();
        let checks = lines.iter().filter(|line| line.starts_with("check 42 "));
        assert_eq!(checks.count(), MAX_LINGERING * 3);
    });
}

#[test]
fn the_end_waits_for_what_can_be_written() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        let (_run, out) = stage.pump("app");
        write(&out, b"one\nlast");
        stage
            .logging
            .drain(Duration::from_hours(1), Duration::from_hours(1))
            .await;
        assert_eq!(stage.logging.pumps(), 0);
        assert_eq!(stage.stdout.lines(), ["app 42 one", "app 42 last"]);
    });
}

#[test]
fn the_end_does_not_wait_for_a_reader_that_stalls() {
    run(async {
        let stage = Stage::attached(&LoggingSettings::default());
        let (_run, out) = stage.pump("app");
        let _writer = flood(out, "line", 200_000);
        settle(&stage.logging).await;
        stage
            .logging
            .drain(Duration::from_millis(10), Duration::from_hours(1))
            .await;
        assert!(stage.logging.shared().with(|output| output.queued()) > 0);
    });
}

#[test]
fn text_of_ours_and_of_jobs_is_in_order() {
    run(async {
        let mut stage = Stage::attached(&LoggingSettings::default());
        stage.say("before");
        let (_run, out) = stage.pump("app");
        write(&out, b"one\n");
        stage.said(&["before", "app 42 one"]).await;
        stage.say("behind");
        stage.said(&["before", "app 42 one", "behind"]).await;
    });
}

#[test]
fn an_idle_pump_is_small() {
    let size = crate::logging::pump::task_size();
    println!("{size} bytes");
    assert!(size < 1024, "{size}");
}
