//! Bytes over the control socket that no HTTP client would send.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::PATIENCE;
// For clients on threads of their own, which cannot share what watches the program.
pub(crate) use super::client::request;

/// A connection whose reads and writes end after [`PATIENCE`].
pub(crate) fn connect(socket: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Writes `bytes`, says that nothing more comes, and reads until the server closes. A server that closes while it is
/// written to is no error: what it said is the answer.
pub(crate) fn talk(socket: &Path, bytes: &[u8]) -> io::Result<String> {
    let mut stream = connect(socket)?;
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionReset => Err(error),
        _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
    }
}
