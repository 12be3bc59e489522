//! Looks at the configuration file from time to time, for `reloadOnChange`.
//!
//! It is looked at by its name, so that another file under the same name is seen as well: editors write so, and volumes of
//! configurations change a symbolic link. Looking again and again works on every file system and for every mount, which
//! notices of the kernel do not.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::app::App;
use super::place::ConfigPlace;
use super::start::Origin;

/// The task that looks, if one does.
#[derive(Debug)]
pub(super) struct FileWatch {
    every: Option<Duration>,
    /// The file that was read last, as it was just before.
    pub(super) read: Option<Mark>,
    changed: Arc<Notify>,
    task: Option<AbortHandle>,
}

impl FileWatch {
    /// Of a configuration that was read from such a file; nobody looks yet.
    pub(super) fn new(read: Option<Mark>) -> FileWatch {
        FileWatch {
            every: None,
            read,
            changed: Arc::default(),
            task: None,
        }
    }

    /// Waits until the file is another one; for ever if nobody looks. Cancel-safe.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

/// What tells one state of a file from another: device, inode, size, and the time of its last change.
pub(super) type Mark = (u64, u64, u64, i64, i64);

impl App {
    /// Looks at the file as the configuration says.
    pub(super) fn follow_file(&mut self) {
        let every = self.config.reload_on_change;
        if self.file_watch.every == every {
            return;
        }
        self.file_watch.every = every;
        if let Some(task) = self.file_watch.task.take() {
            task.abort();
        }
        let Origin::Place(ConfigPlace::File(path)) = &self.plan.origin else {
            return;
        };
        self.file_watch.task = every.map(|every| {
            let changed = Arc::clone(&self.file_watch.changed);
            // From what was read on: a change between the reading and the first look counts.
            let known = self.file_watch.read;
            tokio::spawn(look_on(path.clone(), every, known, changed)).abort_handle()
        });
    }

    pub(super) fn on_file_changed(&mut self) {
        tracing::info!("the configuration file has changed: reloading");
        self.request_reload(None);
    }
}

/// A change counts when two looks in a row see the same: who writes slowly is not read half.
async fn look_on(path: PathBuf, every: Duration, mut known: Option<Mark>, changed: Arc<Notify>) {
    let mut fresh = None;
    loop {
        tokio::time::sleep(every).await;
        let now = look(path.clone()).await;
        // A file that is away for a moment is being replaced.
        if now.is_none() || now == known {
            fresh = None;
        } else if now == fresh {
            known = now;
            fresh = None;
            changed.notify_one();
        } else {
            fresh = now;
        }
    }
}

/// Beside the loop, since a file system may not answer.
async fn look(path: PathBuf) -> Option<Mark> {
    let looked = tokio::task::spawn_blocking(move || mark(&path)).await;
    looked.ok().flatten()
}

/// The mark of the file at a path. Blocks for it.
pub(super) fn mark(path: &Path) -> Option<Mark> {
    let meta = std::fs::metadata(path).ok()?;
    Some((
        meta.dev(),
        meta.ino(),
        meta.size(),
        meta.mtime(),
        meta.mtime_nsec(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_changes_between_the_reading_and_the_first_look_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("app.json5");
        std::fs::write(&path, "one").unwrap();
        let read = mark(&path);
        std::fs::write(&path, "another one").unwrap();
        let changed = Arc::new(Notify::new());
        let looks = look_on(path, Duration::from_millis(1), read, Arc::clone(&changed));
        let heard = tokio::time::timeout(Duration::from_secs(10), changed.notified());
        tokio::select! {
            () = looks => unreachable!("it looks for ever"),
            heard = heard => assert!(heard.is_ok(), "nobody was told"),
        }
    }
}
