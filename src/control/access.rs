//! Who may ask for what: by the credentials of the process at the other end (`SO_PEERCRED`, unix(7); K03).
//!
//! The mode of the socket decides who can connect at all. Beyond that, `control.readers` and `control.writers` name users
//! and groups. Root, and the user that this program runs as, may always do everything: they could end it anyway.

use tokio::net::UnixStream;

use super::error::{BindError, OwnerError};
use super::owner::Owner;
use crate::config::ControlSettings;
use crate::jobs::Databases;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// It changes nothing.
    Reads,
    Changes,
}

/// Who asks; `None` where the kernel does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    ids: Option<(u32, u32)>,
}

impl Peer {
    pub(super) fn of(stream: &UnixStream) -> Peer {
        let credentials = stream.peer_cred().ok();
        Peer {
            ids: credentials.map(|found| (found.uid(), found.gid())),
        }
    }
}

/// The lists of the configuration, as numbers. `None`: everybody who can connect; of writers, everybody who may read.
#[derive(Debug)]
pub(super) struct Access {
    readers: Option<Vec<Owner>>,
    writers: Option<Vec<Owner>>,
    own: u32,
}

impl Access {
    /// Looks the names up, once.
    pub(super) fn resolve(settings: &ControlSettings) -> Result<Access, BindError> {
        let list = |names: &Option<Vec<String>>, key| {
            let names = names.as_ref();
            let list = names.map(|names| resolve(names, Databases::of_the_image()));
            list.transpose().map_err(|source| BindError::Access {
                path: settings.socket.clone(),
                key,
                source,
            })
        };
        Ok(Access {
            readers: list(&settings.readers, "readers")?,
            writers: list(&settings.writers, "writers")?,
            own: nix::unistd::geteuid().as_raw(),
        })
    }

    pub(super) fn permits(&self, peer: Peer, verb: Verb) -> bool {
        match verb {
            Verb::Reads => self.may_read(peer),
            Verb::Changes => match &self.writers {
                Some(writers) => self.is_of(peer, writers),
                None => self.may_read(peer),
            },
        }
    }

    fn may_read(&self, peer: Peer) -> bool {
        let Some(readers) = &self.readers else {
            return true;
        };
        let writers = self.writers.as_deref().unwrap_or_default();
        self.is_of(peer, readers) || self.is_of(peer, writers)
    }

    fn is_of(&self, peer: Peer, list: &[Owner]) -> bool {
        let Some((user, group)) = peer.ids else {
            return false;
        };
        let is_meant = |owner: &Owner| {
            let user_fits = owner.user.is_none_or(|wanted| wanted == user);
            user_fits && owner.group.is_none_or(|wanted| wanted == group)
        };
        user == 0 || user == self.own || list.iter().any(is_meant)
    }
}

fn resolve(names: &[String], databases: Databases<'_>) -> Result<Vec<Owner>, OwnerError> {
    let found = names.iter().map(|name| Owner::resolve(name, databases));
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 500;

    fn peer(user: u32, group: u32) -> Peer {
        Peer {
            ids: Some((user, group)),
        }
    }

    fn access(readers: Option<&[&str]>, writers: Option<&[&str]>) -> Access {
        let list = |names: Option<&[&str]>| {
            let names = names?;
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Some(resolve(&names, Databases::of_the_image()).unwrap())
        };
        Access {
            readers: list(readers),
            writers: list(writers),
            own: OWN,
        }
    }

    /// Whether each of a reader by user, one by group, a writer and a stranger may read, and may change.
    fn rights(access: &Access) -> [(bool, bool); 4] {
        [peer(1, 9), peer(9, 2), peer(3, 9), peer(9, 9)].map(|peer| {
            let reads = access.permits(peer, Verb::Reads);
            (reads, access.permits(peer, Verb::Changes))
        })
    }

    #[test]
    fn k03_lists_say_who_may_read_and_who_may_change() {
        const ALL: (bool, bool) = (true, true);
        const READS: (bool, bool) = (true, false);
        const NONE: (bool, bool) = (false, false);
        let (readers, writers) = (Some(["1", ":2"].as_slice()), Some(["3"].as_slice()));
        assert_eq!(rights(&access(None, None)), [ALL; 4]);
        assert_eq!(rights(&access(None, writers)), [READS, READS, ALL, READS]);
        assert_eq!(rights(&access(readers, writers)), [READS, READS, ALL, NONE]);
        assert_eq!(rights(&access(readers, None)), [ALL, ALL, NONE, NONE]);
        let nobody = access(Some(&[]), Some(&[]));
        assert_eq!(rights(&nobody), [NONE; 4]);
        for always in [peer(0, 9), peer(OWN, 9)] {
            assert!(nobody.permits(always, Verb::Changes));
            assert!(nobody.permits(always, Verb::Reads));
        }
        let unknown = Peer { ids: None };
        assert!(!nobody.permits(unknown, Verb::Reads));
        assert!(access(None, None).permits(unknown, Verb::Changes));
    }
}
