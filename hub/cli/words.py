"""Words that are given to a command: one by one, or several at once."""

import re
from collections.abc import Sequence

import click


def words(_context: click.Context, _option: click.Parameter, given: Sequence[str]) -> list[str]:
    """Values of an option that is given several times, or once with commas or blanks between."""
    return [word for text in given for word in re.split(r"[,\s]+", text) if word]
