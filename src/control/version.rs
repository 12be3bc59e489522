//! Which build this is.

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit, if whoever built the program named it in `PILOTHOUSE_GIT_HASH`.
pub const GIT_HASH: &str = match option_env!("PILOTHOUSE_GIT_HASH") {
    Some(hash) => hash,
    None => "unknown",
};
