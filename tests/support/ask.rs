//! The built program as the client of a running one, and changes of the running one's files.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use super::{PATIENCE, Running, holds_within};

/// What a client said, and how it ended.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its exit status; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the built program with these arguments to its end. What it says must fit into a pipe.
///
/// # Panics
///
/// When it does not end.
pub(crate) fn ask(arguments: &[&str], environment: &[(&str, &str)]) -> Answer {
    let mut client = Command::new(env!("CARGO_BIN_EXE_pilothouse"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    let mut status = None;
    let ended = holds_within(PATIENCE, &mut || {
        status = client.try_wait().expect("the child is ours to wait for");
        status.is_some()
    });
    if !ended {
        let _ = client.kill();
        let _ = client.wait();
    }
    let mut answer = Answer {
        code: status.and_then(|status| status.code()),
        stdout: String::new(),
        stderr: String::new(),
    };
    // Lossless or not matters to nobody here: a test compares text.
    let _ = client
        .stdout
        .take()
        .map(|mut pipe| pipe.read_to_string(&mut answer.stdout));
    let _ = client
        .stderr
        .take()
        .map(|mut pipe| pipe.read_to_string(&mut answer.stderr));
    assert!(ended, "the client {arguments:?} does not end: {answer:?}");
    answer
}

impl Running {
    /// Asks the running program, as a person would who has its configuration. `@DIR@` stands for its directory.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Answer {
        let dir = self.dir().display().to_string();
        let config = format!("{dir}/containerpilot.json5");
        let words: Vec<String> = arguments
            .iter()
            .map(|word| word.replace("@DIR@", &dir))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        ask(&words, &[("CONTAINERPILOT", &config)])
    }

    /// Replaces a file in the program's directory in one step, so that nobody reads half of it.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let text = text.replace("@DIR@", &self.dir().display().to_string());
        let beside = self.dir().join(format!("{name}.new"));
        fs::write(&beside, text).expect("a directory of ours takes files");
        fs::rename(&beside, self.dir().join(name)).expect("a directory of ours takes files");
    }

    /// Alters the definition of a job, so that a reload begins it anew.
    pub(crate) fn alter(&self, job: &str) {
        let path = self.dir().join("containerpilot.json5");
        let text = std::fs::read_to_string(&path).expect("a file of ours");
        let mark = |number: u32| format!("/*{job}*/ env: {{ ALTERED: '{number}' }},");
        let before = (1..100).find(|number| text.contains(&mark(*number)));
        let text = if let Some(number) = before {
            text.replacen(&mark(number), &mark(number + 1), 1)
        } else {
            let names = [format!("name: \"{job}\","), format!("name: '{job}',")];
            let name = names.iter().find(|name| text.contains(*name));
            let name = name.expect("the job is there, and its name is not the last of it");
            text.replacen(name, &format!("{name} {}", mark(1)), 1)
        };
        std::fs::write(path, text).expect("a file of ours");
    }

    /// Replaces the configuration by one as [`super::Pilot::jobs`] makes it.
    pub(crate) fn write_jobs(&self, array: &str) {
        self.write("containerpilot.json5", &super::pilot::with_jobs(array));
    }

    /// Waits until the program is through with a turn of its loop that began after this call: what it had been told by
    /// then has been acted upon.
    pub(crate) fn settle(&self) {
        let answer = self.request("GET", "/api/v1/health", "");
        assert!(
            answer.status == 200 || answer.status == 503,
            "an answer of the loop, got {answer:?}"
        );
    }
}
