"""The store: one SQLite file, the truth of an index."""
