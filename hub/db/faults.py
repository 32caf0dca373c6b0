"""What may be said about an error of PostgreSQL: its kind and place, never the values in it.

The message, detail and context of such an error quote what was written (`Key (email)=(...)
already exists`), so none of them goes into a log, a terminal or an answer.
"""

import asyncpg


def describe(error: BaseException) -> str | None:
    """A safe sentence about the PostgreSQL error at the root of an exception, if there is one."""
    fault = _root(error)
    if fault is None:
        return None
    places = {
        "table": fault.table_name,
        "column": fault.column_name,
        "constraint": fault.constraint_name,
    }
    where = "".join(f", {kind} {name}" for kind, name in places.items() if name)
    return f"PostgreSQL refused a statement: {type(fault).__name__} ({fault.sqlstate}){where}."


def _root(error: BaseException | None) -> asyncpg.PostgresError | None:
    """The PostgreSQL error that this one is, wraps (as SQLAlchemy does) or was raised from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, asyncpg.PostgresError):
            return error
        seen.add(id(error))
        error = getattr(error, "orig", None) or error.__cause__
    return None
