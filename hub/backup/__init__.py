"""Backups of a whole hub, and how one is restored: held, until what people took back is applied."""
