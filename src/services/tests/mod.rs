mod agent;
mod properties;
mod rules;
mod talk;
