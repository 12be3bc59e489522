mod agent;
mod change;
mod properties;
mod rules;
mod talk;
