//! When the loop goes before the jobs: once it is starved, and while everything ends (X06).

use std::time::Duration;

use super::app::App;
use super::report::span;
use crate::process::Precedence;

/// A deadline that was missed by so much was missed for want of processor time, or in a freeze.
const LATE: Duration = Duration::from_millis(500);

/// So many of them one after another are no freeze, after which the next one is met again.
const IN_A_ROW: u8 = 3;

/// How the loop keeps its deadlines.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Punctuality {
    late: u8,
}

impl Punctuality {
    /// Takes down how late a deadline was met. Says whether that makes a starved loop.
    fn is_starved(&mut self, delay: Duration) -> bool {
        self.late = if delay < LATE {
            0
        } else {
            self.late.saturating_add(1)
        };
        self.late >= IN_A_ROW
    }
}

impl App {
    /// A deadline of the jobs was met so late. A loop that is starved does not wait for the end to get precedence: the
    /// heartbeats of healthy services would be late as well.
    pub(super) fn on_delay(&mut self, delay: Duration) {
        self.count(|counts| counts.on_delay(delay));
        if !self.punctuality.is_starved(delay) {
            return;
        }
        let late = span(delay);
        match self.processes.take_precedence() {
            Precedence::Taken(nice) => tracing::warn!(
                "too little processor time, late by {late}: the supervisor goes on at nice {nice}"
            ),
            Precedence::Refused => tracing::warn!(
                "too little processor time, late by {late}: give busy jobs a higher `nice`, or the container a limit of \
                 `nice` or CAP_SYS_NICE, so that the supervisor can go before them"
            ),
            Precedence::Settled => {}
        }
    }

    /// The end goes before everything else. To be called as soon as it is known: each millisecond of work before that may
    /// take half a second.
    pub(super) fn precede_at_the_end(&mut self) {
        if let Precedence::Taken(nice) = self.processes.take_precedence() {
            tracing::debug!("stopping at nice {nice}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x06_three_late_deadlines_in_a_row_make_a_starved_loop_and_a_freeze_does_not() {
        let mut punctuality = Punctuality::default();
        let frozen = Duration::from_mins(10);
        let looks = [
            frozen,
            frozen,
            Duration::ZERO,
            LATE,
            LATE,
            LATE,
            LATE / 2,
            LATE,
        ];
        let starved = looks.map(|delay| punctuality.is_starved(delay));
        let third = [false, false, false, false, false, true, false, false];
        assert_eq!(starved, third);
    }
}
