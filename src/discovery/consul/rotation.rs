//! Tokens and certificates that are replaced while the program runs (C06, C07).

use super::client::Client;
use super::credentials::{Material, Stamps, stamps};
use super::error::SetupError;
use super::session::Session;
use super::settings::Settings;
use super::tls;

/// What is known of the files.
#[derive(Debug)]
pub(super) struct Rotation {
    /// How they looked when they were last read to the end and in order.
    seen: Stamps,
    /// The last warning: each is given once.
    warned: Option<String>,
}

/// What a look at the files came to.
enum Look {
    /// They are as they were, or say the same.
    Same(Stamps),
    New(Stamps, Box<Session>),
    Unusable(SetupError),
}

impl Rotation {
    pub(super) fn new(settings: &Settings) -> Rotation {
        Rotation {
            seen: stamps(settings),
            warned: None,
        }
    }
}

impl Client {
    /// Returns each time that other credentials have come into force, so that what was denied can be tried again at once;
    /// never, where no files are configured. Meant to be awaited in a loop for as long as the client lives. It may be
    /// dropped at any time.
    ///
    /// The files are looked at every few seconds, and read on another thread when they changed. They come into force as
    /// one set, and only if the set is complete, fits together and is not out of date; until then the last good set
    /// stays, and each reason is logged once. Requests under way are not disturbed; later ones connect anew.
    pub async fn credentials_changed(&self) {
        if !self.inner.settings.has_credential_files() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(self.inner.limits.poll).await;
            if self.look_at_files().await {
                return;
            }
        }
    }

    /// Whether a look at the files has put others into force.
    pub(super) async fn look_at_files(&self) -> bool {
        let mut rotation = self.inner.rotation.lock().await;
        let seen = rotation.seen.clone();
        let client = self.clone();
        let look = tokio::task::spawn_blocking(move || client.look(seen)).await;
        let Ok(look) = look else {
            tracing::error!("the look at the credentials for Consul failed");
            return false;
        };
        match look {
            Look::Same(stamps) => {
                rotation.seen = stamps;
                false
            }
            Look::New(stamps, session) => {
                rotation.seen = stamps;
                rotation.warned = None;
                self.inner.replace(*session);
                tracing::info!("took over new credentials for Consul");
                true
            }
            Look::Unusable(error) => {
                let text = error.to_string();
                if rotation.warned.as_ref() != Some(&text) {
                    tracing::warn!(%error, "the credentials for Consul stay as they were");
                    rotation.warned = Some(text);
                }
                false
            }
        }
    }

    /// Blocks. After a set that could not be used the files are read at every look, so that nothing is missed whose time
    /// and size are the same.
    fn look(&self, seen: Stamps) -> Look {
        let inner = &self.inner;
        let stamps = stamps(&inner.settings);
        if stamps == seen {
            return Look::Same(seen);
        }
        let read = || {
            let material = Material::read(&inner.settings)?;
            if material.digest() == self.session().digest {
                return Ok(None);
            }
            tls::check_dates(&material)?;
            let session = Session::new(
                &inner.settings,
                &material,
                inner.lookup.clone(),
                inner.limits,
            )?;
            Ok(Some(session))
        };
        match read() {
            Ok(None) => Look::Same(stamps),
            Ok(Some(session)) => Look::New(stamps, Box::new(session)),
            Err(error) => Look::Unusable(error),
        }
    }
}
