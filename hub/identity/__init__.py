"""One customer out of many records: which records belong together, and what follows from it."""
