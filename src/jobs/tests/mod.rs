//! The rules in virtual time: a tester that owns the clock and plays the shell.

mod checker;
mod checks;
mod configurations;
mod cron;
mod fresh;
mod operate;
mod properties;
mod reload;
mod rules;
mod served;
mod stop;
mod success;
mod ticks;
mod vitals;
mod waiting;
mod world;
