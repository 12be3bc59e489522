//! A byte buffer that is quick with short pieces.

use std::fmt::{self, Write as _};

/// From here on the C library's copy is as fast as ours.
const LONG: usize = 257;

/// Room that is made at least when there is too little.
const GROWTH: usize = 4096;

/// Bytes in a row, added at the end.
///
/// A vector calls the C library to copy a slice of unknown length. musl's copy takes about as long for 40 bytes as for
/// 400, and a log line is two to four such slices. Here the room behind the end is initialised in advance, so that a short
/// slice is two moves of fixed size, which overlap, and no call.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// The content, then room with anything in it.
    bytes: Vec<u8>,
    end: usize,
}

impl Buffer {
    pub(super) fn len(&self) -> usize {
        self.end
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.end]
    }

    /// What a clear would keep for later.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Makes room for so many bytes.
    pub(super) fn reserve(&mut self, count: usize) {
        let wanted = self.end + count;
        if wanted > self.bytes.len() {
            self.bytes.resize(wanted.max(self.end + GROWTH), 0);
        }
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    /// Adds `bytes`.
    #[inline]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let after = self.end + bytes.len();
        if after > self.bytes.len() {
            self.grow(bytes.len());
        }
        let room = &mut self.bytes[self.end..after];
        match bytes.len() {
            LONG.. => room.copy_from_slice(bytes),
            128.. => copy_ends::<128>(room, bytes),
            64.. => copy_ends::<64>(room, bytes),
            32.. => copy_ends::<32>(room, bytes),
            16.. => copy_ends::<16>(room, bytes),
            8.. => copy_ends::<8>(room, bytes),
            4.. => copy_ends::<4>(room, bytes),
            2.. => copy_ends::<2>(room, bytes),
            _ => copy_ends::<1>(room, bytes),
        }
        self.end = after;
    }

    /// Doubles, so that many small additions do not copy the whole each time.
    #[cold]
    fn grow(&mut self, count: usize) {
        self.reserve(count.max(self.end));
    }

    /// Forgets everything behind the first `len` bytes.
    pub(super) fn truncate(&mut self, len: usize) {
        self.end = self.end.min(len);
    }

    /// Forgets the first `count` bytes.
    pub(super) fn remove_front(&mut self, count: usize) {
        self.bytes.copy_within(count..self.end, 0);
        self.end -= count;
    }
}

/// Copies a slice of `SIZE` to twice `SIZE` bytes as its first and its last `SIZE`. A loop would be turned into a call.
#[inline]
fn copy_ends<const SIZE: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<SIZE>(), from.first_chunk::<SIZE>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<SIZE>(), from.last_chunk::<SIZE>()) {
        *to = *from;
    }
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

/// Adds formatted text. The buffer takes whatever comes; of a value that refuses to be shown, what came before it stays.
pub(super) fn print(out: &mut Buffer, text: fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
