//! What this process itself uses, from `/proc/self` (proc(5)).

use std::fs;

use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{SysconfVar, sysconf};

/// What this process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// In both modes, without children.
    pub cpu_seconds: f64,
    pub threads: u64,
    /// Since 1970.
    pub start_seconds: f64,
    pub virtual_bytes: u64,
    pub resident_bytes: u64,
    pub open_files: u64,
    /// The soft limit.
    pub max_files: u64,
}

/// Reads it now; `None` without a `/proc` that shows it.
#[must_use]
pub fn own_usage() -> Option<Usage> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let boot = boot_time(&fs::read_to_string("/proc/stat").ok()?)?;
    let ticks = number_of(SysconfVar::CLK_TCK)?;
    let page = number_of(SysconfVar::PAGE_SIZE)?;
    let mut usage = parse(&stat, ticks, page)?;
    usage.start_seconds += boot;
    // The descriptor that reads the directory is one of them.
    usage.open_files = (fs::read_dir("/proc/self/fd").ok()?.count() as u64).saturating_sub(1);
    usage.max_files = getrlimit(Resource::RLIMIT_NOFILE).ok()?.0;
    Some(usage)
}

fn number_of(what: SysconfVar) -> Option<u64> {
    u64::try_from(sysconf(what).ok()??).ok()
}

/// The time of the boot, in seconds since 1970.
fn boot_time(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "));
    line?.trim().parse().ok()
}

/// The name, in brackets, may hold anything; the numbers begin after the last bracket, with field 3.
#[expect(clippy::cast_precision_loss, reason = "times far below 2^53")]
fn parse(stat: &str, ticks: u64, page: u64) -> Option<Usage> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let seconds = |ticked: u64| ticked as f64 / ticks as f64;
    Some(Usage {
        cpu_seconds: seconds(field(14)? + field(15)?),
        threads: field(20)?,
        start_seconds: seconds(field(22)?),
        virtual_bytes: field(23)?,
        resident_bytes: field(24)? * page,
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = "7 (a) b) ) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 1000 4096 2 18446744073709551615 1";
        let usage = parse(stat, 100, 4096).unwrap();
        let expected = Usage {
            cpu_seconds: 3.0,
            threads: 3,
            start_seconds: 10.0,
            virtual_bytes: 4096,
            resident_bytes: 8192,
            ..Usage::default()
        };
        assert_eq!(usage, expected);
        assert_eq!(parse("7 (a) S 1", 100, 4096), None);
        assert_eq!(boot_time("cpu 1\nbtime 1700000000\n"), Some(1.7e9));
    }

    #[test]
    fn this_process_uses_something() {
        let usage = own_usage().unwrap();
        assert!(usage.resident_bytes > 100_000 && usage.open_files > 2 && usage.threads > 0);
        assert!(usage.max_files >= usage.open_files && usage.start_seconds > 1e9);
    }
}
