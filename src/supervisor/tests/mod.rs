mod attributes;
mod place;
