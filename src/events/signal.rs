//! Signals by number and by name, the same on every build.

use std::fmt;
use std::str::FromStr;

/// A signal of Linux by its number (signal(7)).
///
/// Our own type, for two reasons: real-time signals have no name in `nix`, and SIGRTMIN is the libc's to choose (34 with
/// glibc, 35 with musl) while a configuration must mean the same with every build; here RTMIN is 34 (decision 20).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signal(i32);

/// A text or a number that is no signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSignal(pub String);

const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

/// x86 and ARM numbers; the two architectures that are built agree on them.
const NAMES: [(&str, i32); 31] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
];

impl Signal {
    pub const HUP: Signal = Signal(1);
    pub const INT: Signal = Signal(2);
    pub const QUIT: Signal = Signal(3);
    pub const KILL: Signal = Signal(9);
    pub const USR1: Signal = Signal(10);
    pub const USR2: Signal = Signal(12);
    pub const PIPE: Signal = Signal(13);
    pub const TERM: Signal = Signal(15);
    pub const CHLD: Signal = Signal(17);
    pub const CONT: Signal = Signal(18);
    pub const STOP: Signal = Signal(19);
    pub const TTIN: Signal = Signal(21);
    pub const TTOU: Signal = Signal(22);
    pub const URG: Signal = Signal(23);
    pub const XFSZ: Signal = Signal(25);
    pub const WINCH: Signal = Signal(28);

    /// The signal with this number, if there is one.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Signal> {
        // 32 and 33 belong to the C library's threads.
        let known = (1..=31).contains(&number) || (RTMIN..=RTMAX).contains(&number);
        known.then_some(Signal(number))
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }

    /// Whether a supervisor can pass this signal on: it can be caught, and is not one that the supervisor needs for its
    /// own children, sockets and pipes (P09: SIGURG, SIGCHLD and SIGPIPE never travel).
    #[must_use]
    pub fn is_forwardable(self) -> bool {
        // KILL and STOP cannot be caught; ILL, FPE, SEGV and BUS report a fault of this process; TERM and INT stop it.
        !matches!(self.0, 2 | 4 | 7 | 8 | 9 | 11 | 13 | 15 | 17 | 19 | 23)
    }
}

impl FromStr for Signal {
    type Err = UnknownSignal;

    /// Reads `TERM`, `SIGTERM`, `15`, `RTMIN`, `RTMIN+3`, `RTMAX-1`; letters in any case.
    fn from_str(text: &str) -> Result<Signal, UnknownSignal> {
        let unknown = || UnknownSignal(text.to_owned());
        if let Ok(number) = text.parse() {
            return Signal::from_number(number).ok_or_else(unknown);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some((_, number)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(Signal(*number));
        }
        real_time(name).ok_or_else(unknown)
    }
}

fn real_time(name: &str) -> Option<Signal> {
    let (base, rest, sign) = if let Some(rest) = name.strip_prefix("RTMIN") {
        (RTMIN, rest.strip_prefix('+'), 1)
    } else {
        let rest = name.strip_prefix("RTMAX")?;
        (RTMAX, rest.strip_prefix('-'), -1)
    };
    let offset: i32 = match rest {
        Some(digits) => digits.parse().ok()?,
        None if name.len() == "RTMIN".len() => 0,
        None => return None,
    };
    let number = base + sign * offset;
    (RTMIN..=RTMAX).contains(&number).then_some(Signal(number))
}

impl fmt::Display for Signal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => write!(out, "SIG{name}"),
            None if self.0 == RTMIN => write!(out, "SIGRTMIN"),
            None => write!(out, "SIGRTMIN+{}", self.0 - RTMIN),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for UnknownSignal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "`{}` is not a signal: write a name such as `TERM`, `USR1` or `RTMIN+3`, or a number",
            self.0
        )
    }
}

impl std::error::Error for UnknownSignal {}
