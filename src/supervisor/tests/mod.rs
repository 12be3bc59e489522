mod attributes;
mod place;
mod recorder;
