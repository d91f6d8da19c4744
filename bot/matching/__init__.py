"""Find an entry from a person's own words, or say honestly that it is not known."""
