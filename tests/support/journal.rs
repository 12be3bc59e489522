//! Order, written down by those who know it: each job appends a line to one file.

use std::path::PathBuf;
use std::time::Duration;

use super::holds_within;

/// A file that jobs append lines to; a short append is one write, so lines are whole and in order.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
}

impl Journal {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The whole lines so far; none while the file is missing.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }

    /// Waits until there are `count` lines, and returns all.
    ///
    /// # Panics
    ///
    /// When they do not come within `limit`.
    pub(crate) fn wait_for(&self, count: usize, limit: Duration) -> Vec<String> {
        let came = holds_within(limit, &mut || self.lines().len() >= count);
        let lines = self.lines();
        assert!(
            came,
            "waited {limit:?} for {count} journal lines, got {lines:?}"
        );
        lines
    }

    /// Waits for a line that is exactly this.
    ///
    /// # Panics
    ///
    /// When it does not come within `limit`.
    pub(crate) fn wait_for_line(&self, line: &str, limit: Duration) {
        let came = holds_within(limit, &mut || {
            self.lines().iter().any(|found| found == line)
        });
        assert!(
            came,
            "waited {limit:?} for `{line}`, got {:?}",
            self.lines()
        );
    }

    /// Asserts that the given lines are there in this order; others may stand between them.
    ///
    /// # Panics
    ///
    /// Names the first line that is missing or too early.
    pub(crate) fn expect_order(&self, expected: &[&str]) {
        let lines = self.lines();
        let mut rest = lines.iter();
        for line in expected {
            assert!(
                rest.any(|found| found == line),
                "`{line}` is missing or out of order in {lines:?}, wanted {expected:?}"
            );
        }
    }
}
