//! Signals that come in.

use std::io;
use std::os::unix::net::UnixStream;

use nix::sys::signal::{SigSet, SigmaskHow};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::iterator::exfiltrator::origin::Origin;
use signal_hook::low_level::siginfo::Cause;
use tokio::net;

use super::sys;
use crate::events::Signal;

/// What the program always listens to. TERM first: the kernel drops it for a PID 1 without a handler (decision 11).
const ALWAYS: [i32; 6] = [
    libc::SIGTERM,
    libc::SIGINT,
    libc::SIGCHLD,
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGUSR2,
];

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Which.
    pub signal: Signal,
    /// The kernel itself sent it, as a terminal does that hangs up. Such a SIGHUP never reloads (decision 6).
    pub by_kernel: bool,
}

/// The signals of this process, caught by handlers that write to a socket pair.
///
/// Handlers rather than a blocked mask with a signalfd: a mask would be inherited by children, and what is blocked at an
/// exec stays blocked (P11). Up to five instances of one signal are kept until they are read; further ones merge with
/// them, as the kernel's own do.
///
/// Order: of one signal, that of arrival; between two signals that arrived before the same read, that of the numbers.
#[derive(Debug)]
pub struct Signals {
    delivery: SignalDelivery<UnixStream, WithOrigin>,
    /// The same socket, for readiness; there once a runtime is.
    readiness: Option<net::UnixStream>,
}

impl Signals {
    /// Installs handlers for TERM, INT, CHLD, HUP, USR1 and USR2. The first thing that `main` does (decision 11); what
    /// arrives before [`Signals::attach`] is kept.
    ///
    /// # Errors
    ///
    /// If there is no descriptor for the socket pair.
    pub fn install() -> io::Result<Signals> {
        let delivery = held_back(|| {
            let (read, write) = UnixStream::pair()?;
            read.set_nonblocking(true)?;
            write.set_nonblocking(true)?;
            SignalDelivery::with_pipe(read, write, WithOrigin::default(), ALWAYS)
        })?;
        Ok(Signals {
            delivery,
            readiness: None,
        })
    }

    /// Listens to these as well: what a configuration forwards (P09). Repeating is harmless; nothing is ever removed,
    /// since a handler that is taken away would leave the default, which is death.
    ///
    /// # Errors
    ///
    /// If a signal cannot be caught. That is KILL, STOP, the ones that report a fault of ours, and with musl 34
    /// (`RTMIN`), which the C library keeps for itself. Those before it in the list are installed.
    pub fn add(&self, signals: &[Signal]) -> io::Result<()> {
        let handle = self.delivery.handle();
        for signal in signals {
            let number = signal.number();
            let refused = signal_hook::consts::FORBIDDEN.contains(&number);
            let added = if refused {
                Err(io::Error::from_raw_os_error(libc::EINVAL))
            } else {
                held_back(|| handle.add_signal(number))
            };
            added.map_err(|error| {
                io::Error::new(error.kind(), format!("cannot catch {signal}: {error}"))
            })?;
        }
        Ok(())
    }

    /// Joins the runtime of the caller; needed once before [`Signals::recv`].
    ///
    /// # Errors
    ///
    /// If there is no descriptor left.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O.
    pub fn attach(&mut self) -> io::Result<()> {
        let read = self.delivery.get_read().try_clone()?;
        self.readiness = Some(net::UnixStream::from_std(read)?);
        Ok(())
    }

    /// Waits until a signal arrives and appends all that have. Cancel-safe: nothing is taken before the last wait.
    ///
    /// # Errors
    ///
    /// If [`Signals::attach`] was not called, or the runtime is shutting down.
    pub async fn recv(&mut self, out: &mut Vec<Received>) -> io::Result<()> {
        let before = out.len();
        while out.len() == before {
            let Some(readiness) = &self.readiness else {
                return Err(io::Error::other("signals are not attached to a runtime"));
            };
            readiness.readable().await?;
            // To its end, or the next wait would not wait. Handlers store first and write then: a signal that comes
            // after this has a byte of its own.
            let mut bytes = [0; 64];
            while readiness.try_read(&mut bytes).is_ok_and(|count| count > 0) {}
            self.drain(out);
        }
        Ok(())
    }

    /// Gives up: every signal does again what it does by default, and what has arrived meanwhile does it now. For a
    /// program that turns out to be no supervisor.
    pub fn release(mut self) {
        let mut arrived = Vec::new();
        self.drain(&mut arrived);
        for number in ALWAYS {
            sys::default_action(number);
        }
        for received in arrived {
            // raise(3) cannot fail for a signal that could be caught.
            let _ = nix::sys::signal::Signal::try_from(received.signal.number())
                .map(nix::sys::signal::raise);
        }
    }

    /// Appends the signals that have arrived, without waiting.
    pub fn drain(&mut self, out: &mut Vec<Received>) {
        out.extend(
            self.delivery
                .pending()
                .filter_map(|origin| received(&origin)),
        );
    }
}

/// Runs `register` with every signal blocked: the handlers' library installs a handler first and then notes down what
/// it is for, and a signal in between would be lost (P10). The kernel keeps what is blocked, also for a PID 1 that has no
/// handler yet.
fn held_back<T>(register: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let registered = register();
    before.thread_set_mask()?;
    registered
}

fn received(origin: &Origin) -> Option<Received> {
    Some(Received {
        signal: Signal::from_number(origin.signal)?,
        by_kernel: matches!(origin.cause, Cause::Kernel),
    })
}
