//! `metric` of a job: its output is the value of a metric.

use crate::jobs::JobIo;
use crate::metrics::MetricSpec;

use super::section::Section;
use super::walk::{Finding, Place, Walk, quoted};

/// The metric of a job and where it is named.
#[derive(Debug)]
pub(super) struct Sensor {
    pub(super) metric: String,
    place: Place,
}

impl Sensor {
    /// Reads the key; `None` if there is none, or it has been reported.
    pub(super) fn read(
        walk: &mut Walk<'_>,
        section: &mut Section<'_>,
        has_exec: bool,
        io: JobIo,
    ) -> Option<Sensor> {
        let field = section.take(walk, "metric")?;
        let metric = walk.text(&field)?;
        if !has_exec {
            let finding = Finding::new("a job without `exec` writes nothing that could be a value");
            walk.error(&field.place, finding.help("add `exec`, or remove the key"));
        }
        if io.raw || io.tty {
            let finding = Finding::new("the output of this job goes past us");
            let help = "remove `logging.raw` and `tty`, or this key";
            walk.error(&field.place, finding.help(help));
        }
        let place = field.place;
        Some(Sensor { metric, place })
    }
}

/// Whether there is the metric of each. Both spellings of a name will do (D19).
pub(super) fn check<'d>(
    walk: &mut Walk<'_>,
    sensors: impl Iterator<Item = &'d Sensor>,
    metrics: &[MetricSpec],
) {
    let names = metrics.iter();
    let names: Vec<String> = names
        .flat_map(|metric| [metric.full_name(), metric.posted_name()])
        .collect();
    for sensor in sensors.filter(|sensor| !names.contains(&sensor.metric)) {
        let finding = Finding::new(format!(
            "`telemetry.metrics` has no metric {}",
            quoted(&sensor.metric)
        ));
        let known = names.iter().map(String::as_str);
        walk.error(&sensor.place, finding.suggest(&sensor.metric, known));
    }
}
