//! What the jobs of a configuration need and the image lacks, for `check --image`. It looks and changes nothing.

use std::ffi::OsString;
use std::time::Duration;

use super::attributes::{Changes, prepare};
use super::environment::Environment;
use super::zones::ZoneFiles;
use crate::config::{self, Around, Input, Loaded, Missing, Report, Zones};
use crate::jobs::{Attributes, Databases, Exec, JobSpec, Probe};
use crate::process;

/// Checks a configuration where it is to run: with the image's time zones, and with a warning for each command, user,
/// group, directory and file of variables that is not there.
///
/// # Errors
///
/// As [`config::load`].
pub fn check_in_image(
    input: &Input<'_>,
    environment: impl Iterator<Item = (OsString, OsString)>,
    grace: Option<Duration>,
) -> Result<Loaded, Report> {
    let zones = ZoneFiles::default();
    let input = Input {
        zones: Zones::Lookup(&|name| zones.find(name)),
        ..*input
    };
    let environment = Environment::new(environment, std::process::id());
    let look = |job: &JobSpec| missing(job, &environment);
    let look = Some(&look as config::Look<'_>);
    config::load_around(&input, Around { look, grace })
}

fn missing(job: &JobSpec, environment: &Environment) -> Vec<Missing> {
    let mut found = Vec::new();
    let changes = missing_attributes(&job.attributes, environment, &mut found);
    let path = path(environment, &changes);
    let workdir = job.attributes.workdir.as_deref();
    let mut look = |key, check, exec: &Exec| {
        let answer = process::look_for(exec.program(), path.as_deref(), workdir);
        if let Err(error) = answer {
            found.push(Missing {
                key,
                check,
                message: error.message,
                help: "install it in the image, or mend its path",
            });
        }
    };
    if let Some(exec) = &job.exec {
        look("exec", None, exec);
    }
    let checks = job.health.iter().flat_map(|health| &health.checks);
    for (number, check) in checks.enumerate() {
        if let Probe::Exec(exec) = &check.probe {
            look("health", Some(number), exec);
        }
    }
    found
}

/// What is missing of user, group, directory and files; the changes of the environment as far as they are known.
fn missing_attributes(
    attributes: &Attributes,
    environment: &Environment,
    found: &mut Vec<Missing>,
) -> Changes {
    let user = Attributes {
        user: attributes.user.clone(),
        ..Attributes::NONE
    };
    let group = Attributes {
        group: attributes.group.clone(),
        ..Attributes::NONE
    };
    let files = Attributes {
        env_files: attributes.env_files.clone(),
        ..Attributes::NONE
    };
    let own = Attributes {
        env: attributes.env.clone(),
        ..Attributes::NONE
    };
    let mut changes = Changes::new();
    for (key, part, help) in [
        ("user", user, "add the user to the image, or write a number"),
        (
            "group",
            group,
            "add the group to the image, or write a number",
        ),
        ("envFile", files, "add the file to the image"),
        ("env", own, ""),
    ] {
        match prepare(&part, environment, Databases::of_the_image()) {
            Ok(prepared) => changes.extend(prepared.changes),
            Err(refusal) => found.push(Missing {
                key,
                check: None,
                message: refusal.cause().to_owned(),
                help,
            }),
        }
    }
    if let Some(workdir) = &attributes.workdir
        && !std::path::Path::new(workdir).is_dir()
    {
        found.push(Missing {
            key: "workdir",
            check: None,
            message: format!("there is no directory `{}`", workdir.escape_debug()),
            help: "make it in the image",
        });
    }
    changes
}

/// The `PATH` of the job.
fn path(environment: &Environment, changes: &Changes) -> Option<Vec<u8>> {
    let entry = match changes.get(b"PATH".as_slice()) {
        Some(changed) => changed.as_deref(),
        None => environment.find(b"PATH"),
    }?;
    entry.to_bytes().strip_prefix(b"PATH=").map(<[u8]>::to_vec)
}
