"""Where the facts come from: one room for each source."""
