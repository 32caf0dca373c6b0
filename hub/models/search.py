"""Text that people search and sort by: one folding, so that columns and questions agree.

Case and ё/е do not count, and punctuation only parts words (PostgreSQL would otherwise see host
names, signed numbers and tags in them). Only the beginning counts: an index holds no long value.
"""

import string

LONGEST = 200
"""Characters of a text that an index and a comparison look at."""
PUNCTUATION = string.punctuation


def folded(text: str) -> str:
    """SQL for a text, folded."""
    return f"translate(lower({text}), 'Ёё', 'ее')"


def words(*columns: str) -> str:
    """SQL for the words of some columns, as a tsvector."""
    texts = " || ' ' || ".join(f"left(coalesce({column}, ''), {LONGEST})" for column in columns)
    letters = "Ёё" + PUNCTUATION.replace("'", "''")
    spaces = "ее" + " " * len(PUNCTUATION)
    return f"to_tsvector('simple', translate(lower({texts}), '{letters}', '{spaces}'))"


def sortable(column: str) -> str:
    """SQL for what a text is sorted by."""
    return f"left({folded(column)}, {LONGEST})"


def start(column: str) -> str:
    """SQL for the part of a text that is compared."""
    return f"left({column}, {LONGEST})"
