//! Files.

use std::time::{Duration, SystemTime};

use super::Prober;
use super::failure::Failure;

/// Whether the file is there, and was written within this time.
pub(super) async fn look(
    prober: &Prober,
    path: &str,
    max_age: Option<Duration>,
) -> Result<(), Failure> {
    let owned = path.to_owned();
    let found = prober
        .beside(move || {
            let written = std::fs::metadata(owned)?.modified()?;
            // A file's time is of the wall clock, so its age is as well. One from the future is new.
            let age = SystemTime::now().duration_since(written);
            Ok(age.unwrap_or_default())
        })
        .await?;
    let age = found.map_err(|error| Failure::of(path, &error))?;
    match max_age {
        Some(limit) if age > limit => {
            let age = humantime::format_duration(Duration::from_secs(age.as_secs()));
            Err(Failure::failed(format!("{path} was written {age} ago")))
        }
        _ => Ok(()),
    }
}
