//! pilothouse: a supervisor that lives in a container, as its PID 1, and runs `ContainerPilot` configurations.
//!
//! # Theory of operation
//!
//! *Decide in one place, act in another.* The rules with time and order (when to start, restart, give up and stop, and in
//! which order) live in plain values that know no clock, process or network. They take facts and give orders:
//!
//! ```text
//!              facts (Event)                          orders (Effect)
//!   world ──────────────────────> jobs::Jobs ──────────────────────────> world
//!   signals, exits, requests      (pure rules)        spawn, terminate, kill, announce
//! ```
//!
//! [`supervisor`] is the shell around them: one loop on one thread that turns the world into events and the effects into
//! actions, and never waits for an action.
//!
//! | room | owns | pure |
//! | --- | --- | --- |
//! | [`events`] | facts, public events, the numbers of jobs and runs | yes |
//! | [`services`] | what stands in the catalogue, and how it is kept so | yes |
//! | [`schedule`] | cron expressions, time zones, who is due by the wall clock | yes |
//! | [`jobs`] | what a job is; its states; restarts, health, the order of the end | yes |
//! | [`watches`] | what is asked of the catalogue, what counts as a change | yes |
//! | [`metrics`] | what is counted and measured, and the text of a scrape | yes |
//! | [`config`] | text to a checked configuration: template, JSON5, all errors at once | yes |
//! | [`process`] | every fork, wait and kill; who owns which process; signals in and out | |
//! | [`logging`] | our messages and the jobs' output, one writer | |
//! | [`catalog`] | a Consul in memory: its tables, its HTTP edge | its tables |
//! | [`checks`] | probes over HTTP, TCP, gRPC and files; what a job says of itself | |
//! | [`control`] | the control socket, its server and its client | |
//! | [`discovery`] | the client of a catalogue | |
//! | [`telemetry`] | the server of metrics and status | |
//! | [`supervisor`] | the loop; start, reload, end | |
//! | [`cli`] | flags, subcommands, exit statuses | |
//!
//! Pure rooms import pure rooms only; shell rooms never import each other; only the supervisor and the command line know
//! more than one. A test reads the `use` lines against that table.
//!
//! # The path of a change in the catalogue
//!
//! A watch has one question standing: the catalogue answers when something has changed since an index. The task that asked
//! sends the answer to the loop; [`watches`] compares it with what it published last, and orders `Publish(changed)`, then
//! `healthy` or `unhealthy`. Jobs that are triggered by it start with the facts in their environment. The other way, a
//! result of a check is an order of [`jobs`] to show the service; [`services`] compares that with what stands in the
//! catalogue and orders the one call that mends the difference.
//!
//! # The path of an exit status
//!
//! The kernel ends run 7 of `app`. SIGCHLD wakes the loop; [`process`] looks at the child, finds its run, collects the
//! status and says whether the run left anything behind. The loop tells the rules `Exited { run 7, exit, left }`. The
//! rules see that run 7 is the present one, that a restart is permitted and that nothing is left, and order
//! `Announce(exitFailed of app)` and `Spawn { run 8 }`. Whoever is triggered by `exitFailed` of `app` hears it before the
//! next fact. The loop performs the spawn, which returns after the exec. Had the number been 6, nothing would happen.

// The log is the only way out for words: a stray print would tear its lines.
#![cfg_attr(
    not(test),
    warn(clippy::print_stdout, clippy::print_stderr, clippy::dbg_macro)
)]

pub mod catalog;
pub mod checks;
pub mod cli;
pub mod config;
pub mod control;
pub mod discovery;
pub mod events;
pub mod jobs;
pub mod logging;
pub mod metrics;
pub mod process;
pub mod schedule;
pub mod services;
pub mod supervisor;
pub mod telemetry;
pub mod watches;
