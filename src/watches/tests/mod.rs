mod properties;
mod rules;
mod server;
