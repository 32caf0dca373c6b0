"""The one tree of migrations (Alembic)."""
