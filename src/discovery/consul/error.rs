//! What can be wrong before the first call, by what the caller does next: all of it is reported and ends the start or
//! the reload.

use std::io;
use std::path::PathBuf;

/// The configuration and the environment come to no usable client.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The catalogue's address. The text has no user or password in it.
    #[error("cannot use the address `{address}` of Consul: {reason}")]
    Address { address: String, reason: String },
    /// The value of a variable. It is not shown: it may be a secret.
    #[error("cannot use `{variable}`: {reason}")]
    Variable {
        variable: &'static str,
        reason: String,
    },
}

/// A file of secrets or certificates cannot be used, or not together with the others.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The system does not give it out.
    #[error("cannot read `{}`: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It is read, and is not what it should be.
    #[error("cannot use `{}`: {reason}", path.display())]
    Content { path: PathBuf, reason: String },
    /// The certificate has had its time; it is taken at the start, and never for another.
    #[error("cannot use `{}`: the certificate is not valid now: {reason}", path.display())]
    Date { path: PathBuf, reason: String },
}

/// There can be no client.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The library refuses, which it should have no reason for.
    #[error("cannot make a client for Consul: {0}")]
    Library(String),
}
