//! What is learnt of jobs beside their processes: the probes of their checks, and what they say of themselves.
//!
//! Each probe is a task of its own that sends one answer; dropping it ends it. The loop never waits for one.

use std::collections::HashMap;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::app::App;
use super::environment::own_variable;
use crate::checks::{self, Failure, Message, NotifySocket, Prober};
use crate::events::{Event, Exit, JobId, Notice, Run, RunId, RunKind, StartFailure};
use crate::jobs::{Probe, Ready};
use crate::process::is_static_glibc;

/// Answers that wait for the loop. When it is full, tasks wait with theirs: nothing is lost.
pub(super) const SENSED: usize = 256;

/// What a check is reported with that was ended before it had an answer.
const NO_ANSWER: &str = "no answer in time";

/// What was learnt.
#[derive(Debug)]
pub(super) enum Sensed {
    /// A probe has looked.
    Probed(Run, Result<(), Failure>),
    /// A process wrote to the socket for notices.
    Said(Message),
    /// A run wrote a newline to its descriptor for readiness.
    Line(Run),
    /// The socket for notices cannot be read any more.
    Deaf(String),
}

/// The tasks that learn something.
pub(super) struct Senses {
    prober: Prober,
    sensed: mpsc::Sender<Sensed>,
    probes: HashMap<RunId, AbortHandle>,
    /// The value of `NOTIFY_SOCKET`, once a job wanted one.
    socket: Option<String>,
}

impl Senses {
    pub(super) fn new(sensed: mpsc::Sender<Sensed>) -> Senses {
        Senses {
            prober: Prober::new(!is_static_glibc()),
            sensed,
            probes: HashMap::new(),
            socket: None,
        }
    }

    fn probe(&mut self, run: Run, probe: Probe) {
        let (prober, sensed) = (self.prober.clone(), self.sensed.clone());
        let task = async move {
            let result = prober.look(&probe).await;
            // Nobody listens any more only at the end of the program.
            let _ = sensed.send(Sensed::Probed(run, result)).await;
        };
        self.probes
            .insert(run.id, tokio::spawn(task).abort_handle());
    }

    /// Where jobs write their notices; opened for the first job that has some.
    fn socket(&mut self) -> std::io::Result<&str> {
        if self.socket.is_none() {
            let socket = NotifySocket::open()?;
            self.socket = Some(socket.address().to_owned());
            let sensed = self.sensed.clone();
            tokio::spawn(async move {
                loop {
                    let said = match socket.receive().await {
                        Ok(message) => sensed.send(Sensed::Said(message)).await,
                        Err(error) => {
                            let _ = sensed.send(Sensed::Deaf(error.to_string())).await;
                            return;
                        }
                    };
                    if said.is_err() {
                        return;
                    }
                }
            });
        }
        Ok(self.socket.as_deref().unwrap_or_default())
    }
}

/// What a job is given to say that it is ready.
#[derive(Debug, Default)]
pub(super) struct Mouthpiece {
    pub(super) variables: Vec<(Vec<u8>, CString)>,
    /// The end of the pipe and its number in the child.
    pub(super) descriptor: Option<(OwnedFd, i32)>,
}

impl App {
    /// Looks at what a check looks at, if it is no command. Says whether it is none.
    pub(super) fn begin_probe(&mut self, run: Run) -> bool {
        let RunKind::Check(number) = run.kind else {
            return false;
        };
        let spec = self.jobs.spec(run.job);
        let health = spec.and_then(|spec| spec.health.as_ref());
        let check = health.and_then(|health| health.checks.get(usize::from(number)));
        match check.map(|check| &check.probe) {
            None | Some(Probe::Exec(_)) => false,
            Some(probe) => {
                let probe = probe.clone();
                self.count(|counts| counts.on_started(run, Instant::now()));
                self.senses.probe(run, probe);
                true
            }
        }
    }

    /// Ends a probe. Says whether the run is one.
    pub(super) fn end_probe(&mut self, run: Run) -> bool {
        let Some(task) = self.senses.probes.remove(&run.id) else {
            return false;
        };
        task.abort();
        if let RunKind::Check(number) = run.kind {
            let place = (run.job, number);
            self.check_output.insert(place, NO_ANSWER.to_owned());
        }
        self.answers.push_back(failed(run));
        true
    }

    /// Prepares what the run of a job needs to say that it is ready.
    ///
    /// # Errors
    ///
    /// If there is no descriptor left for it.
    pub(super) fn mouthpiece(&mut self, run: Run) -> std::io::Result<Mouthpiece> {
        let mut mouthpiece = Mouthpiece::default();
        if run.kind != RunKind::Main {
            return Ok(mouthpiece);
        }
        match self.jobs.spec(run.job).and_then(|spec| spec.ready) {
            None | Some(Ready::Health) => {}
            Some(Ready::Notify { watchdog }) => {
                let socket = self.senses.socket()?;
                let variables = &mut mouthpiece.variables;
                variables.extend(own_variable("NOTIFY_SOCKET", socket));
                let micros = watchdog.map(|limit| limit.as_micros().to_string());
                variables.extend(micros.and_then(|text| own_variable("WATCHDOG_USEC", &text)));
            }
            Some(Ready::Descriptor(number)) => {
                let (pipe, end) = checks::readiness_pipe()?;
                mouthpiece.descriptor = Some((end, number));
                let sensed = self.senses.sensed.clone();
                tokio::spawn(async move {
                    if checks::newline(pipe).await {
                        let _ = sensed.send(Sensed::Line(run)).await;
                    }
                });
            }
        }
        Ok(mouthpiece)
    }

    pub(super) fn on_sensed(&mut self, sensed: Sensed) {
        match sensed {
            Sensed::Probed(run, result) => self.on_probed(run, result),
            Sensed::Said(message) => self.on_message(&message),
            Sensed::Line(run) => self.on_notice(run, Notice::Ready),
            Sensed::Deaf(error) => {
                tracing::error!("cannot hear what jobs say of their readiness: {error}");
                self.senses.socket = None;
            }
        }
    }

    fn on_probed(&mut self, run: Run, result: Result<(), Failure>) {
        // Ended meanwhile, or of an earlier configuration.
        if self.senses.probes.remove(&run.id).is_none() {
            return;
        }
        let event = match &result {
            Ok(()) => passed(run),
            Err(Failure::Failed(_)) => failed(run),
            Err(Failure::Exhausted(_)) => Event::SpawnFailed(run, StartFailure::Exhausted),
        };
        if let (Err(Failure::Failed(text) | Failure::Exhausted(text)), RunKind::Check(number)) =
            (result, run.kind)
        {
            let job = self.names.job(run.job);
            tracing::debug!(job, "{} failed: {text}", self.names.run(run));
            self.check_output.insert((run.job, number), text);
        }
        self.tell(&event);
    }

    /// Only the processes of a job speak for it.
    fn on_message(&mut self, message: &Message) {
        let owner = self.processes.owner(message.pid);
        let Some(run) = owner.filter(|run| self.wants_notices(*run)) else {
            tracing::debug!(
                "a notice of pid {} belongs to no job that is asked for one",
                message.pid
            );
            return;
        };
        if let Some(status) = &message.status {
            let job = self.names.job(run.job);
            tracing::info!(job, "{job} says: {status}");
        }
        for notice in &message.notices {
            self.on_notice(run, *notice);
        }
    }

    fn wants_notices(&self, run: Run) -> bool {
        let is_present = self.jobs.owns(run) && run.kind == RunKind::Main;
        let ready = self.jobs.spec(run.job).and_then(|spec| spec.ready);
        is_present && matches!(ready, Some(Ready::Notify { .. }))
    }

    fn on_notice(&mut self, run: Run, notice: Notice) {
        if !self.jobs.owns(run) {
            return;
        }
        let job = self.names.job(run.job);
        match notice {
            Notice::Ready => tracing::debug!(job, "{job} is ready"),
            Notice::Stopping => tracing::debug!(job, "{job} is about to end"),
            Notice::Alive => {}
        }
        self.tell(&Event::Notified(run, notice));
    }

    /// What a failed check is reported with, where it wrote nothing.
    pub(super) fn note_check(&mut self, run: Run, exit: Exit) {
        if let RunKind::Check(number) = run.kind {
            let output = self.check_output.entry((run.job, number)).or_default();
            if output.is_empty() {
                *output = exit.to_string();
            }
        }
    }

    /// What the catalogue is told of a job that is unhealthy.
    pub(super) fn failing_note(&self, job: JobId) -> String {
        match self.jobs.failing_check(job) {
            Some(number) => {
                let output = self.check_output.get(&(job, number));
                output.cloned().unwrap_or_default()
            }
            None => "the heartbeat of its watchdog was missed".to_owned(),
        }
    }
}

fn passed(run: Run) -> Event {
    Event::Exited {
        run,
        exit: Exit::Code(0),
        left: false,
    }
}

fn failed(run: Run) -> Event {
    Event::Exited {
        run,
        exit: Exit::Code(1),
        left: false,
    }
}
