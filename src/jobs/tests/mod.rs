//! The rules in virtual time: a tester that owns the clock and plays the shell.

mod configurations;
mod cron;
mod properties;
mod rules;
mod served;
mod stop;
mod success;
mod vitals;
mod waiting;
mod world;
