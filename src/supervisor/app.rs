//! What the loop owns, and one turn of it.

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::chronicle::Chronicle;
use super::cron::WallClock;
use super::discovery::{ANSWERS, Answered, Discovery};
use super::embedded::Embedded;
use super::environment::Environment;
use super::fault::{Faults, planted};
use super::file_watch::{FileWatch, Mark};
use super::numbers::{Ids, Numbers};
use super::precedence::Punctuality;
use super::recorder::{Recorder, What};
use super::reload::Reload;
use super::report::Names;
use super::sensing::{SENSED, Sensed, Senses};
use super::start::Plan;
use super::starts::Starts;
use super::telemetry::{Telemetry, next_ask};
use crate::config::{Config, Dialect};
use crate::control::{Command, ServerHandle};
use crate::discovery::consul::Client;
use crate::events::{Event, JobId, RunId, Signal, StopReason};
use crate::jobs::{Jobs, Next, Outcome};
use crate::logging::{Logging, PumpHandle};
use crate::process::{Processes, Received, Signals};
use crate::services::CallId;
use crate::telemetry::Ask;
use crate::watches::AskId;

/// The longest wait while a time limit runs against somebody else.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// A loop that wakes this much too late was not slow, it was frozen (X08).
const FROZEN: Duration = Duration::from_secs(1);

/// Everything that changes. One owner, one thread.
pub(super) struct App {
    pub(super) plan: Plan,
    pub(super) config: Config,
    pub(super) ids: Ids,
    pub(super) numbers: Numbers,
    pub(super) names: Names,
    pub(super) jobs: Jobs,
    pub(super) processes: Processes,
    pub(super) environment: Environment,
    pub(super) logging: Logging,
    /// The readers of the live runs' output.
    pub(super) pumps: HashMap<RunId, PumpHandle>,
    /// Where the live sensors write their values.
    pub(super) values: HashMap<RunId, OwnedFd>,
    /// The pids of the live health checks.
    pub(super) checks: HashMap<JobId, i32>,
    /// What each check was last reported with: the end of what it wrote, or why it failed.
    pub(super) check_output: HashMap<(JobId, u16), String>,
    pub(super) senses: Senses,
    pub(super) discovery: Discovery,
    /// The catalogue that we serve ourselves.
    pub(super) embedded: Option<Embedded>,
    /// For the tasks of the next configuration's discovery.
    pub(super) answered: mpsc::Sender<Answered>,
    /// Answers to effects, taken before anything else. At most one for each effect of a turn.
    pub(super) answers: VecDeque<Event>,
    pub(super) starts: Starts,
    pub(super) punctuality: Punctuality,
    pub(super) reload: Reload,
    pub(super) file_watch: FileWatch,
    pub(super) server: Option<ServerHandle>,
    /// For a server that a reload moves to another path.
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) faults: Faults,
    pub(super) recorder: Recorder,
    /// What has happened last.
    pub(super) chronicle: Chronicle,
    /// Which jobs the wall clock starts.
    pub(super) wall_clock: WallClock,
    /// On the heap, since most configurations have none.
    pub(super) telemetry: Option<Box<Telemetry>>,
    /// More children may have ended than were collected.
    pub(super) more_to_reap: bool,
    /// When the clock is to be looked at next: at the end of a wait, else at once; `None` in a wait without an end.
    next_look: Option<Instant>,
}

/// What wakes the loop.
pub(super) struct Inputs {
    pub(super) signals: Signals,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) answers: mpsc::Receiver<Answered>,
    pub(super) sensed: mpsc::Receiver<Sensed>,
}

/// What woke it.
enum Wake {
    Signals,
    Command(Command),
    Answered(Answered),
    Sensed(Sensed),
    Asked(Ask),
    Loaded,
    FileChanged,
    Fault,
    Clock,
}

/// The parts that a start has made.
pub(super) struct Parts {
    pub(super) plan: Plan,
    pub(super) config: Config,
    pub(super) processes: Processes,
    pub(super) environment: Environment,
    pub(super) logging: Logging,
    pub(super) server: Option<ServerHandle>,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) faults: Faults,
    pub(super) client: Option<Client>,
    pub(super) file: Option<Mark>,
    pub(super) answered: mpsc::Sender<Answered>,
    pub(super) embedded: Option<Embedded>,
    pub(super) sensed: mpsc::Sender<Sensed>,
}

impl App {
    pub(super) fn new(mut parts: Parts) -> App {
        let now = Instant::now();
        let mut numbers = Numbers::default();
        let ids = numbers.number(&mut parts.config);
        let names = Names::new(&parts.config, &ids);
        let Next { jobs, limits, .. } = ids.next(&parts.config);
        let jobs = Jobs::new(jobs, limits, now, RunId(1), super::start::seed());
        let discovery = Discovery::new(
            (&parts.config, &ids),
            parts.client,
            parts.answered.clone(),
            (CallId(1), AskId(1)),
            super::start::seed(),
        );
        App {
            wall_clock: WallClock::new(ids.jobs(&parts.config), now),
            check_output: HashMap::new(),
            chronicle: Chronicle::new(now),
            senses: Senses::new(parts.sensed),
            discovery,
            embedded: parts.embedded,
            telemetry: None,
            answered: parts.answered,
            plan: parts.plan,
            config: parts.config,
            ids,
            numbers,
            names,
            jobs,
            processes: parts.processes,
            environment: parts.environment,
            logging: parts.logging,
            pumps: HashMap::new(),
            values: HashMap::new(),
            checks: HashMap::new(),
            answers: VecDeque::new(),
            starts: Starts::default(),
            punctuality: Punctuality::default(),
            reload: Reload::default(),
            file_watch: FileWatch::new(parts.file),
            server: parts.server,
            commands: parts.commands,
            faults: parts.faults,
            recorder: Recorder::default(),
            more_to_reap: true,
            next_look: None,
        }
    }

    /// Runs until everything has ended.
    pub(super) async fn run(&mut self, inputs: &mut Inputs) -> Outcome {
        let mut received = Vec::new();
        inputs.signals.drain(&mut received);
        // A stop that came while we started comes before the start of anything (P10, D25).
        self.on_signals(&mut received);
        self.begin();
        planted("start");
        let mut woken = Instant::now();
        loop {
            if let Some(outcome) = self.settle(inputs, &mut received).await {
                return outcome;
            }
            self.count(|counts| counts.on_turn(woken.elapsed()));
            let wake = self.wait(inputs, &mut received).await;
            if received
                .iter()
                .any(|received| received.signal == Signal::CHLD)
            {
                // What an ended process wrote last is then in the log before the line about its end.
                tokio::task::yield_now().await;
            }
            let now = self.look_at_clock();
            woken = now;
            match wake {
                Wake::Signals => self.on_signals(&mut received),
                Wake::Command(command) => self.on_command(command),
                Wake::Answered(answered) => {
                    self.on_answered(answered);
                    // Those that came with it need no turn of their own.
                    for _ in 0..ANSWERS {
                        let Ok(answered) = inputs.answers.try_recv() else {
                            break;
                        };
                        self.on_answered(answered);
                    }
                }
                Wake::Sensed(sensed) => {
                    self.on_sensed(sensed);
                    // As with the answers of the catalogue.
                    for _ in 0..SENSED {
                        let Ok(sensed) = inputs.sensed.try_recv() else {
                            break;
                        };
                        self.on_sensed(sensed);
                    }
                }
                Wake::Asked(ask) => self.on_ask(ask, inputs),
                Wake::Loaded => self.on_loaded(),
                Wake::FileChanged => self.on_file_changed(),
                Wake::Fault => {
                    self.faults.report();
                    self.tell(&Event::StopRequested(StopReason::Fault));
                }
                Wake::Clock => {}
            }
            // Signals come first, and while a thousand jobs crash there is always one: a client waits for one turn.
            if let Ok(command) = inputs.commands.try_recv() {
                self.on_command(command);
            }
            self.look_at_processes(now);
            self.answer();
        }
    }

    /// What a configuration brings beside its jobs: names, addresses, signals, open files.
    pub(super) fn adopt_config(&mut self, signals: &Signals) {
        let mut names = Names::new(&self.config, &self.ids);
        names.keep(&self.names, self.recorder.jobs(), self.recorder.watches());
        self.names = names;
        self.environment
            .set_addresses(super::start::addresses_of(&self.config).into_iter());
        self.raise_file_limit();
        self.listen(signals);
        self.follow_file();
        self.adopt_telemetry();
    }

    /// Catches what the jobs want to be passed on. Uncaught, most signals would end us.
    fn listen(&self, signals: &Signals) {
        let jobs = self.config.jobs.iter();
        let forwarded: Vec<Signal> = jobs.flat_map(|job| job.forward.iter().copied()).collect();
        if let Err(error) = signals.add(&forwarded) {
            tracing::error!("not every signal can be forwarded: {error}");
        }
    }

    /// The first turn, and the first one after a fault.
    fn begin(&mut self) {
        self.more_to_reap = true;
        if self.faults.any() {
            self.faults.report();
            self.tell(&Event::StopRequested(StopReason::Fault));
        } else {
            self.start_all();
        }
    }

    /// Everything of a configuration begins.
    pub(super) fn start_all(&mut self) {
        self.tell(&Event::Started);
        self.begin_discovery();
        self.answer();
    }

    /// Does what is due, until nothing is; says how everything ended once it has.
    async fn settle(
        &mut self,
        inputs: &mut Inputs,
        received: &mut Vec<Received>,
    ) -> Option<Outcome> {
        let now = self.look_at_clock();
        if let Some(due) = self.jobs.next_deadline().filter(|due| *due <= now) {
            // Also when it was too busy to wait for it, as with too little processor time (X06).
            self.on_delay(now.saturating_duration_since(due));
            let effects = self.jobs.on_time(now);
            self.perform(effects);
            self.answer();
        }
        if self.wall_deadline().is_some_and(|due| due <= now) {
            self.look_at_wall_clock(now);
        }
        if self.discovery.next_deadline().is_some_and(|due| due <= now) {
            let orders = self.discovery.on_time(now);
            self.perform_discovery(orders);
            self.answer();
        }
        self.look_after_own_service(now);
        self.begin_starts(now);
        // What takes over may be over at once as well.
        loop {
            match self.jobs.outcome()? {
                Outcome::Reload => self.take_over(inputs, received).await,
                outcome => return Some(outcome),
            }
        }
    }

    async fn wait(&mut self, inputs: &mut Inputs, received: &mut Vec<Received>) -> Wake {
        let now = self.look_at_clock();
        let is_late = self.jobs.next_deadline().is_some_and(|due| due <= now);
        if self.more_to_reap || !self.answers.is_empty() || !self.starts.is_empty() || is_late {
            // Let the pumps and the control socket have their turn, but do not wait.
            // Twice: a request is read in one, and passed on to us, and its answer written in another.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            inputs.signals.drain(received);
            return Wake::Signals;
        }
        let deadline = [
            self.jobs.next_deadline(),
            self.processes.next_sweep(),
            self.discovery.next_deadline(),
            self.wall_deadline(),
            self.next_beat(),
        ]
        .into_iter()
        .flatten()
        .min();
        // A freeze shows only as a wait that was longer than planned, so no wait is long while somebody's time runs.
        let look = self.jobs.limits_anybody().then(|| now + HEARTBEAT);
        let deadline = [deadline, look].into_iter().flatten().min();
        self.next_look = deadline;
        tokio::select! {
            biased;
            result = inputs.signals.recv(received) => match result {
                Ok(()) => Wake::Signals,
                // Without signals no child is collected and no stop is heard.
                Err(error) => { tracing::error!("cannot receive signals: {error}"); Wake::Fault }
            },
            () = self.faults.notified() => Wake::Fault,
            Some(command) = inputs.commands.recv() => Wake::Command(command),
            Some(answered) = inputs.answers.recv() => Wake::Answered(answered),
            Some(sensed) = inputs.sensed.recv() => Wake::Sensed(sensed),
            ask = next_ask(&mut self.telemetry) => Wake::Asked(ask),
            () = self.reload.loaded() => Wake::Loaded,
            () = self.file_watch.changed() => Wake::FileChanged,
            () = sleep_until(deadline) => Wake::Clock,
        }
    }

    /// Tells the rules a fact and performs what they order, and what follows from that.
    pub(super) fn tell(&mut self, event: &Event) {
        let now = Instant::now();
        self.count(|counts| counts.on_event(event, now));
        let effects = self.jobs.on_event(event, now);
        self.perform(effects);
        self.answer();
    }

    /// Hands the answers to effects back. Those that come of it have to wait for the next turn: a start that fails can
    /// order another one that fails, and signals and the clock come first.
    pub(super) fn answer(&mut self) {
        for event in std::mem::take(&mut self.answers) {
            let now = Instant::now();
            self.count(|counts| counts.on_event(&event, now));
            let effects = self.jobs.on_event(&event, now);
            self.perform(effects);
        }
    }

    pub(super) fn on_signals(&mut self, received: &mut Vec<Received>) {
        for Received { signal, by_kernel } in received.drain(..) {
            match signal {
                Signal::CHLD => self.more_to_reap = true,
                Signal::TERM | Signal::INT => self.on_stop_signal(signal),
                _ => self.on_other_signal(signal, by_kernel),
            }
        }
    }

    fn on_stop_signal(&mut self, signal: Signal) {
        self.precede_at_the_end();
        self.remember(What::Received(signal));
        if self.jobs.is_ending() {
            tracing::info!("{signal} received: already stopping");
        } else {
            tracing::info!("{signal} received: stopping");
        }
        self.tell(&Event::StopRequested(StopReason::Requested));
    }

    fn on_other_signal(&mut self, signal: Signal, by_kernel: bool) {
        self.remember(What::Received(signal));
        let forwarded = self.forward(signal);
        if signal == Signal::USR1 && self.config.dialect == Dialect::V2 {
            let enter = !self.jobs.in_maintenance();
            let what = if enter { "entering" } else { "leaving" };
            tracing::info!("SIGUSR1 received: {what} maintenance");
            self.tell(&Event::Maintenance(enter));
        } else if signal == Signal::USR1 {
            tracing::debug!("SIGUSR1 received: reopening the log file");
            self.logging.reopen();
        }
        let event = Event::signal(signal);
        let triggers = matches!(event, Event::Published(event) if self.jobs.has_subscriber(event));
        if triggers {
            self.tell(&event);
        } else if signal == Signal::HUP && !by_kernel && !forwarded {
            tracing::info!("SIGHUP received: reloading");
            self.request_reload(None);
        }
    }

    /// Reads the clock, which a turn does before anything that asks for the time. After a freeze (the cgroup's freezer, a
    /// stopped machine), in a wait or in the middle of work, the limits of others move on by as long as it took.
    fn look_at_clock(&mut self) -> Instant {
        let now = Instant::now();
        let expected = self.next_look.replace(now).unwrap_or(now);
        let frozen = now.saturating_duration_since(expected);
        if frozen >= FROZEN && self.jobs.limits_anybody() {
            let shown = humantime::format_duration(Duration::from_secs(frozen.as_secs()));
            tracing::warn!(
                "the program did not run for about {shown}: time limits move on by that much"
            );
            self.jobs.on_thaw(frozen, now);
        }
        if frozen >= FROZEN {
            let orders = self.discovery.on_thaw(now);
            self.perform_discovery(orders);
        }
        now
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
