//! The built program behind a shell that first changes what the program inherits: its umask, its streams, its mounts.

use super::Pilot;

impl Pilot {
    /// A script in the program's place, which ends by `exec @PILOT@` with whatever redirections it wants. The program
    /// then has the script's process id. `config` is what it reads.
    pub(crate) fn behind(script: &str, config: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_pilothouse");
        let words = format!("'{program}' -config '@DIR@/containerpilot.json5'");
        Self::stand_in(&script.replace("@PILOT@", &words)).file("containerpilot.json5", config)
    }
}
