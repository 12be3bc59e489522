//! Readiness and heartbeats as systemd has them: datagrams to the socket that `NOTIFY_SOCKET` names (`sd_notify(3)`).
//!
//! The name is an abstract one that the kernel chooses, so that a read-only root is no hindrance. Anybody in the network
//! namespace can write to it; the kernel says who did.

use std::io::{self, IoSliceMut};
use std::os::fd::AsRawFd as _;

use nix::cmsg_space;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr, UnixCredentials,
    bind, getsockname, recvmsg, setsockopt, socket, sockopt,
};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

use crate::events::Notice;

/// The longest message; what is longer is cut off by the kernel, and ignored.
const LONGEST: usize = 4096;

/// The most of a status that is told.
const STATUS: usize = 200;

/// A socket for the messages of all jobs.
#[derive(Debug)]
pub struct NotifySocket {
    socket: UnixDatagram,
    address: String,
}

/// What a process said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sent it, by the kernel's word.
    pub pid: i32,
    /// What it means, in its order.
    pub notices: Vec<Notice>,
    /// What it does at the moment, for people.
    pub status: Option<String>,
}

impl NotifySocket {
    /// Opens the socket; within the runtime.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn open() -> io::Result<NotifySocket> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
        setsockopt(&socket, sockopt::PassCred, &true)?;
        // Without a name the kernel chooses an abstract one (unix(7), autobind).
        bind(socket.as_raw_fd(), &UnixAddr::new_unnamed())?;
        let address: UnixAddr = getsockname(socket.as_raw_fd())?;
        let name = address.as_abstract().unwrap_or_default();
        Ok(NotifySocket {
            address: format!("@{}", String::from_utf8_lossy(name)),
            socket: UnixDatagram::from_std(socket.into())?,
        })
    }

    /// The value of `NOTIFY_SOCKET`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The next message that has a meaning. Cancel-safe.
    ///
    /// # Errors
    ///
    /// If the socket cannot be read any more.
    pub async fn receive(&self) -> io::Result<Message> {
        loop {
            let descriptor = self.socket.as_raw_fd();
            let received = self
                .socket
                .async_io(Interest::READABLE, || receive(descriptor));
            if let Some(message) = received.await? {
                return Ok(message);
            }
        }
    }
}

/// `None`: a message without a meaning or a sender. There is no room for descriptors, so the kernel closes those that
/// come with it.
fn receive(socket: i32) -> io::Result<Option<Message>> {
    let mut buffer = [0; LONGEST];
    let mut slices = [IoSliceMut::new(&mut buffer)];
    let mut room = cmsg_space!(UnixCredentials);
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_CMSG_CLOEXEC;
    let received = recvmsg::<()>(socket, &mut slices, Some(&mut room), flags)?;
    let cut = received.flags.contains(MsgFlags::MSG_TRUNC);
    let length = received.bytes;
    let sender = received.cmsgs().ok().and_then(|messages| {
        let mut senders = messages.filter_map(|message| match message {
            ControlMessageOwned::ScmCredentials(sender) => Some(sender.pid()),
            _ => None,
        });
        senders.next()
    });
    let Some(pid) = sender.filter(|_| !cut) else {
        return Ok(None);
    };
    let (notices, status) = read(&String::from_utf8_lossy(&buffer[..length]));
    let says = !notices.is_empty() || status.is_some();
    Ok(says.then_some(Message {
        pid,
        notices,
        status,
    }))
}

pub(super) fn read(text: &str) -> (Vec<Notice>, Option<String>) {
    let mut notices = Vec::new();
    let mut status = None;
    for line in text.lines() {
        match line.split_once('=') {
            Some(("READY", "1")) => notices.push(Notice::Ready),
            Some(("WATCHDOG", "1")) => notices.push(Notice::Alive),
            Some(("STOPPING", "1")) => notices.push(Notice::Stopping),
            Some(("STATUS", text)) => {
                let plain = text.chars().filter(|c| !c.is_control());
                status = Some(plain.take(STATUS).collect());
            }
            // What else the protocol has (MAINPID, FDSTORE, BARRIER …) means nothing here.
            _ => {}
        }
    }
    notices.dedup();
    (notices, status)
}
