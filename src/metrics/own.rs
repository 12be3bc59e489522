//! The names that are ours.

/// Every family that a scrape has of the program itself.
const OWN: [&str; 39] = [
    "containerpilot_build_info",
    "containerpilot_check_duration_seconds",
    "containerpilot_check_last_duration_seconds",
    "containerpilot_check_results_total",
    "containerpilot_consul_request_duration_seconds",
    "containerpilot_consul_requests_total",
    "containerpilot_control_http_requests",
    "containerpilot_events",
    "containerpilot_job_last_exit_status",
    "containerpilot_job_last_run_seconds",
    "containerpilot_job_restarts_total",
    "containerpilot_job_starts_total",
    "containerpilot_job_state",
    "containerpilot_job_status",
    "containerpilot_job_timeouts_total",
    "containerpilot_job_uptime_seconds",
    "containerpilot_last_reload_failed",
    "containerpilot_log_dropped_total",
    "containerpilot_log_lines_total",
    "containerpilot_loop_delay_seconds",
    "containerpilot_loop_turn_seconds",
    "containerpilot_maintenance",
    "containerpilot_metrics_refused_total",
    "containerpilot_oom_kills_total",
    "containerpilot_queue_length",
    "containerpilot_queue_limit",
    "containerpilot_reaped_total",
    "containerpilot_reloads_total",
    "containerpilot_spawned_total",
    "containerpilot_watch_age_seconds",
    "containerpilot_watch_instances",
    "http_requests_total",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

/// Whether the program itself has series of this name. A metric of the application that takes it hides them.
#[must_use]
pub fn is_own(name: &str) -> bool {
    OWN.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Counts, Exposition, Format, Present, Usage};

    #[test]
    fn the_list_is_what_is_written() {
        let present = Present {
            usage: Some(Usage::default()),
            ..Present::default()
        };
        let mut out = Exposition::new(Format::Text);
        Counts::default().write(&present, &mut out, std::time::Instant::now());
        let text = out.finish();
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let mut names: Vec<&str> = types.filter_map(|line| line.split(' ').next()).collect();
        names.sort_unstable();
        assert_eq!(names, OWN);
    }
}
