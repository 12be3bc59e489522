//! What processes say of themselves.

use std::io::Write as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::checks::notify::read;
use crate::checks::{NotifySocket, newline, readiness_pipe};
use crate::events::Notice;

#[test]
fn messages_are_lines_of_assignments() {
    let (notices, status) =
        read("READY=1\nSTATUS=up\u{7} and running\nMAINPID=7\nWATCHDOG=1\nSTOPPING=1\n");
    assert_eq!(notices, [Notice::Ready, Notice::Alive, Notice::Stopping]);
    assert_eq!(status.as_deref(), Some("up and running"));
    assert_eq!(read("READY=0\nready=1\nREADY\n\n"), (Vec::new(), None));
}

#[tokio::test]
async fn the_kernel_says_who_sent_a_message() {
    let socket = NotifySocket::open().unwrap();
    let name = socket.address().strip_prefix('@').unwrap();
    let address = SocketAddr::from_abstract_name(name).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    // What means nothing, and what is too long, is passed over.
    sender.send_to_addr(b"FDSTORE=1", &address).unwrap();
    sender
        .send_to_addr(&[b"READY=1\n", [b'x'; 5000].as_slice()].concat(), &address)
        .unwrap();
    sender.send_to_addr(b"READY=1", &address).unwrap();
    let message = socket.receive().await.unwrap();
    assert_eq!(message.pid, std::process::id().cast_signed());
    assert_eq!(message.notices, [Notice::Ready]);
}

#[tokio::test]
async fn a_newline_is_readiness_and_the_end_is_none() {
    let (read, write) = readiness_pipe().unwrap();
    let mut write = std::fs::File::from(write);
    write.write_all(b"started").unwrap();
    write.write_all(b" up\nmore").unwrap();
    assert!(newline(read).await);
    let (read, write) = readiness_pipe().unwrap();
    std::fs::File::from(write).write_all(b"no line").unwrap();
    assert!(!newline(read).await);
}
