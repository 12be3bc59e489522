//! How this program was linked.

use super::sys;

/// Whether this is glibc without a dynamic loader. Its name service would load the modules of the image, which were made
/// for another C library, and die of them; so nobody may ask it.
///
/// The flag that links so is given to the last crate alone (`docker/build-static`), and no `cfg` of the library knows of
/// it. The kernel does: it tells a program where its loader is. A program that is started through its loader by hand
/// looks the same, and only asks the name service less.
#[must_use]
pub fn is_static_glibc() -> bool {
    cfg!(target_env = "gnu") && sys::loader_base() == 0
}
