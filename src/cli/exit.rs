//! Exit statuses.

/// Every status that the program ends with (decision 9). Only `main` turns one into the end of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: done; a stop that was asked for, whatever had to be killed; all jobs complete.
    Success,
    /// 1: a bad configuration, a failed start, a request that failed or was refused, a job that is not healthy.
    Failure,
    /// 2: the command line makes no sense.
    Usage,
    /// 70: a fault of our own, after the children were stopped in order (P14).
    Fault,
    /// The status of a job: its exit status, or 128 + n for signal n.
    Job(u8),
}

impl ExitCode {
    /// The number that the parent process sees.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            ExitCode::Success => 0,
            ExitCode::Failure => 1,
            ExitCode::Usage => 2,
            ExitCode::Fault => 70,
            ExitCode::Job(status) => status,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> std::process::ExitCode {
        std::process::ExitCode::from(code.number())
    }
}
