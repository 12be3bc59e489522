//! A pseudo-terminal, for what runs under `docker run -it`.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;

use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};

use super::{PATIENCE, Pilot, holds_within};

/// Our side of a terminal: types and reads the screen. Dropping it hangs up.
pub(crate) struct Terminal {
    // The only descriptor of this side, so that the drop really is the hang-up.
    line: PtyMaster,
    screen: Vec<u8>,
}

impl Terminal {
    /// A terminal, and the program with it as its controlling one and as all three of its streams.
    pub(crate) fn of(pilot: Pilot) -> (Terminal, Pilot) {
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let line = posix_openpt(flags).expect("the system has pseudo-terminals");
        grantpt(&line).expect("the terminal is ours");
        unlockpt(&line).expect("the terminal is ours");
        let name = ptsname_r(&line).expect("the terminal has a name");
        let far: OwnedFd = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(name)
            .expect("the terminal is ours")
            .into();
        let pilot = pilot
            .stdin(far)
            .after("exec 1>&0 2>&0")
            .preceded_by(&["setsid", "--ctty"]);
        let screen = Vec::new();
        (Terminal { line, screen }, pilot)
    }

    /// Types; `\x03` is ^C, `\x1a` is ^Z.
    pub(crate) fn type_in(&mut self, keys: &str) {
        let typed = self.line.write_all(keys.as_bytes());
        typed.expect("the terminal takes what is typed");
    }

    /// All that was shown so far.
    pub(crate) fn screen(&mut self) -> String {
        let mut bytes = [0; 4096];
        // An error means that there is nothing now, or nobody on the other side any more.
        while let Ok(count @ 1..) = self.line.read(&mut bytes) {
            self.screen.extend_from_slice(&bytes[..count]);
        }
        String::from_utf8_lossy(&self.screen).into_owned()
    }

    /// Waits until `text` was shown.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let shown = holds_within(PATIENCE, &mut || self.screen().contains(text));
        let screen = self.screen();
        assert!(shown, "the terminal does not show `{text}` but:\n{screen}");
    }
}
