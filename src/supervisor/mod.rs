//! The shell around the rules: it turns the world into events and the effects into actions.
//!
//! One loop owns everything that changes: the job machine, the processes, the children's environment. Signals, requests
//! of the control socket, ended processes, finished loads and the clock each wake it; it reads the clock once, lets the
//! rules decide, performs what they order, and waits again. It never waits for an action: a start returns after the exec,
//! everything slower happens in tasks that answer through a queue.
//!
//! | file | what |
//! | --- | --- |
//! | `start.rs` | from a plan to the running loop, and from its end to an exit status |
//! | `app.rs` | what the loop owns, and its turn |
//! | `perform.rs` | effects to actions |
//! | `processes.rs` | ends of processes to events |
//! | `requests.rs` | what the control socket asks for |
//! | `live.rs`, `look.rs` | what it asks of the jobs as they run |
//! | `chronicle.rs` | the last events and decisions, and who follows them |
//! | `reload.rs` | reading a configuration again, beside the loop |
//! | `finish.rs` | the end: what nobody owns, the last lines |
//! | `discovery.rs`, `catalogue.rs` | services and watches joined to the client of the catalogue |
//! | `embedded.rs` | the catalogue that is served here |
//! | `telemetry.rs` | what is counted, recorded and shown of all this |
//! | `value.rs` | jobs whose output is the value of a metric |
//! | `facts.rs` | what a job that a watch starts is told |
//! | `attributes.rs`, `env_file.rs` | who a job's user is, what its files of variables say |
//! | `image.rs` | what the jobs of a configuration need and the image lacks |
//! | `sensing.rs` | probes of checks, and what jobs say of themselves |
//! | `environment.rs` | the children's environment |
//! | `recorder.rs` | the last events and decisions, written down when the container ends badly |
//! | `fault.rs` | faults of our own (P14) |

mod app;
mod attributes;
mod catalogue;
mod chronicle;
mod cron;
mod discovery;
mod embedded;
mod env_file;
mod environment;
mod facts;
mod fault;
mod file_watch;
mod finish;
mod image;
mod interfaces;
mod live;
mod look;
mod numbers;
mod outlook;
mod perform;
mod place;
mod precedence;
mod processes;
mod recorder;
mod reload;
mod report;
mod requests;
mod sensing;
mod start;
mod starts;
mod telemetry;
#[cfg(test)]
mod tests;
mod value;
mod zones;

pub use crate::process::Signals;
pub use image::check_in_image;
pub use place::{ConfigPlace, DEFAULT_CONFIG, ReadError};
pub use start::{End, Origin, Plan, StartError, supervise};
