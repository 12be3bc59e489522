//! The program. Everything it does is in the library; this is the only place that ends the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use dlmalloc::GlobalDlmalloc;
use pilothouse::cli;
use pilothouse::supervisor::Signals;

/// It keeps pages between two events, and takes no more of them than the C library's.
#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

fn main() -> ExitCode {
    // First of all: the kernel discards TERM to a PID 1 that has no handler for it yet (decision 11).
    let signals = Signals::install();
    // A fault before the supervisor watches for them: nothing was started yet.
    let program = AssertUnwindSafe(|| cli::main(signals));
    let code = catch_unwind(program).unwrap_or(cli::ExitCode::Fault);
    code.into()
}
