//! How fast a job's output gets through the log: 100-byte lines from a pipe, in each format, to /dev/null and to a pipe.
//!
//! Beside the rate stands the processor time of the thread that pumps, which other load on the machine disturbs less.
//! `cargo bench --bench pump` prints the table; `-- 2000` sets the megabytes of each row. Nothing here is a test.

use std::fs::File;
use std::io::{Read, Write, pipe};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use pilothouse::config::{LogFormat, LogOutput, LoggingSettings};
use pilothouse::logging::{Label, Logging};

const LINE: usize = 100;

fn main() {
    let megabytes = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(1000);
    println!(
        "{:<10} {:>14} {:>14}",
        "format", "to /dev/null", "to a pipe"
    );
    for format in [LogFormat::Default, LogFormat::Text, LogFormat::Json] {
        let null = measure(format, PathBuf::from("/dev/null"), megabytes);
        let (mut reading, writing) = pipe().expect("a pipe");
        let path = PathBuf::from(format!("/proc/self/fd/{}", writing.as_raw_fd()));
        let reader = thread::spawn(move || swallow(&mut reading));
        let piped = measure(format, path, megabytes);
        drop(writing);
        reader.join().expect("the reader ends");
        println!(
            "{:<10} {null:>27} {piped:>27}",
            format!("{format:?}").to_lowercase()
        );
    }
}

/// Megabytes of job output a second, and seconds of the pumping thread for a gigabyte.
fn measure(format: LogFormat, output: PathBuf, megabytes: usize) -> String {
    let settings = LoggingSettings {
        format,
        output: LogOutput::File(output),
        ..LoggingSettings::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (reading, mut writing) = pipe().expect("a pipe");
    let writer = thread::spawn(move || {
        let chunk = chunk();
        for _ in 0..megabytes * 1_000_000 / chunk.len() {
            writing.write_all(&chunk).expect("the pump reads");
        }
    });
    let before = busy();
    let started = Instant::now();
    runtime.block_on(async {
        let logging = Logging::new(&settings);
        logging.attach();
        let _run = logging
            .pump(OwnedFd::from(reading), Label::job("app", 42))
            .expect("a pump");
        while logging.pumps() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        logging
            .drain(Duration::from_secs(10), Duration::from_secs(10))
            .await;
        assert_eq!(logging.dropped(), pilothouse::logging::Dropped::default());
    });
    let (elapsed, used) = (started.elapsed(), busy().saturating_sub(before));
    writer.join().expect("the writer ends");
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    let rate = megabytes as f64 / elapsed.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    let cost = used.as_secs_f64() * 1000.0 / megabytes as f64;
    format!("{rate:.0} MB/s, {cost:.2} s/GB")
}

/// Processor time of this thread.
fn busy() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("the usage of this thread");
    let micros = usage.user_time() + usage.system_time();
    Duration::from_micros(micros.num_microseconds().unsigned_abs())
}

/// 64,000 bytes of ordinary log lines.
fn chunk() -> Vec<u8> {
    let mut line = Vec::new();
    while line.len() < LINE - 1 {
        line.extend_from_slice(b"GET /index.html 200 ");
    }
    line.truncate(LINE - 1);
    line.push(b'\n');
    line.repeat(640)
}

fn swallow(from: &mut impl Read) {
    let mut buffer = vec![0; 64 * 1024];
    let mut null = File::create("/dev/null").expect("/dev/null");
    while let Ok(count) = from.read(&mut buffer)
        && count > 0
    {
        null.write_all(&buffer[..1]).expect("/dev/null");
    }
}
