mod place;
