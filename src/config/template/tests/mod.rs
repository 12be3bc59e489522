//! The engine against real Go, its own promises, and hostile input.

mod golden;
