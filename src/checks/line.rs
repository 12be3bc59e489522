//! Readiness as s6 has it: a newline on a descriptor.

use std::io;
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;

/// The end that is read here, and the one that a job is given.
///
/// # Errors
///
/// If there is no descriptor left.
pub fn readiness_pipe() -> io::Result<(Receiver, OwnedFd)> {
    let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
    Ok((Receiver::from_owned_fd(read)?, write))
}

/// Waits for a newline; says whether one came before everybody closed the pipe.
pub async fn newline(mut pipe: Receiver) -> bool {
    let mut buffer = [0; 512];
    loop {
        match pipe.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(length) if buffer[..length].contains(&b'\n') => return true,
            Ok(_) => {}
        }
    }
}
