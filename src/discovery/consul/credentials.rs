//! The files of tokens, keys and certificates, read as one set.

use std::fs::{self, File, Metadata};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::CredentialsError;
use super::limits::FILE;
use super::secret::Secret;
use super::settings::Settings;

/// A file with what is in it.
#[derive(Clone, Hash)]
pub(super) struct Contents {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// What all the configured files hold at one time. Not shown: half of it is secret.
#[derive(Hash)]
pub(super) struct Material {
    /// The token to send, from the file or from the settings.
    pub(super) token: Option<Secret>,
    /// Files of certificates that others are verified with; several where a directory is configured.
    pub(super) authorities: Vec<Contents>,
    /// Our own certificate and its key.
    pub(super) identity: Option<(Contents, Contents)>,
}

impl Material {
    /// Reads every configured file. Blocks.
    pub(super) fn read(settings: &Settings) -> Result<Material, CredentialsError> {
        let token = match &settings.token_file {
            Some(path) => Some(read_token(path)?),
            None => settings.token.clone(),
        };
        let tls = &settings.tls;
        // A file goes before a directory, as in Consul's own tools.
        let authorities = match (&tls.ca_file, &tls.ca_path) {
            (Some(file), _) => vec![Contents::read(file)?],
            (None, Some(directory)) => read_all(directory)?,
            (None, None) => Vec::new(),
        };
        let identity = match (&tls.client_cert, &tls.client_key) {
            (Some(certificate), Some(key)) => {
                Some((Contents::read(certificate)?, Contents::read(key)?))
            }
            _ => None,
        };
        Ok(Material {
            token,
            authorities,
            identity,
        })
    }

    /// Differs when anything in it does.
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

impl Contents {
    fn read(path: &Path) -> Result<Contents, CredentialsError> {
        let unreadable = |source| CredentialsError::Read {
            path: path.to_owned(),
            source,
        };
        Ok(Contents {
            path: path.to_owned(),
            bytes: read_bounded(path).map_err(unreadable)?,
        })
    }

    /// The error that this is not what it should be.
    pub(super) fn wrong(&self, reason: &str) -> CredentialsError {
        CredentialsError::Content {
            path: self.path.clone(),
            reason: reason.to_owned(),
        }
    }
}

fn read_token(path: &Path) -> Result<Secret, CredentialsError> {
    let contents = Contents::read(path)?;
    let Ok(text) = std::str::from_utf8(&contents.bytes) else {
        return Err(contents.wrong("a token is text"));
    };
    let token = text.trim();
    if token.is_empty() {
        return Err(contents.wrong("it is empty"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(contents.wrong("a token is one word of ASCII"));
    }
    Ok(Secret::new(token))
}

/// The files of a directory in the order of their names; not those of directories in it.
fn read_all(directory: &Path) -> Result<Vec<Contents>, CredentialsError> {
    let unreadable = |source| CredentialsError::Read {
        path: directory.to_owned(),
        source,
    };
    let paths = files_of(directory).map_err(unreadable)?;
    paths.iter().map(|path| Contents::read(path)).collect()
}

/// More are a directory that was not meant.
const MOST_FILES: usize = 1000;

fn files_of(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if fs::metadata(&path).is_ok_and(|data| data.is_file()) {
            paths.push(path);
        }
        if paths.len() > MOST_FILES {
            return Err(io::Error::other(format!(
                "it has more than {MOST_FILES} files"
            )));
        }
    }
    paths.sort();
    Ok(paths)
}

/// The bytes of a file that is not larger than such files are; a pipe or a device would never end.
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE {
        return Err(io::Error::other(format!("it has more than {FILE} bytes")));
    }
    Ok(bytes)
}

/// What a look from outside says of the files: whether reading them again is worth it.
pub(super) type Stamps = Vec<Option<(u64, u64, i64, i64, u64)>>;

/// The present stamps. Links are followed, so that a link to another directory counts. Blocks.
pub(super) fn stamps(settings: &Settings) -> Stamps {
    let tls = &settings.tls;
    let named = [
        &settings.token_file,
        &tls.ca_file,
        &tls.ca_path,
        &tls.client_cert,
        &tls.client_key,
    ];
    let mut paths: Vec<PathBuf> = named.into_iter().flatten().cloned().collect();
    if let Some(directory) = &tls.ca_path {
        paths.extend(files_of(directory).unwrap_or_default());
    }
    let stamp = |data: Metadata| {
        (
            data.dev(),
            data.ino(),
            data.mtime(),
            data.mtime_nsec(),
            data.len(),
        )
    };
    let data = paths.iter().map(|path| fs::metadata(path).ok());
    data.map(|data| data.map(stamp)).collect()
}
