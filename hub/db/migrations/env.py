"""What Alembic runs: migrate on the connection that `hub.db.migrate` hands over."""

from typing import Any

from alembic import context

from hub.models import Base


def include(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Leave alone what a database may hold besides the hub's own tables."""
    return kind != "table" or name != "alembic_version"


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=include,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
