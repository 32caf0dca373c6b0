"""The file that an export makes, which has its name only when it is whole."""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hub.errors import BadFile

UNFINISHED = ".part"


@contextmanager
def opened(output: Path | None) -> Generator[BinaryIO]:
    """The file to write, readable by its owner alone; standard output if none is named.

    Until the block has ended it is called `.part`. What was not finished is removed; a process that
    was killed leaves it, so called.
    """
    if output is None:
        with _listened_to():
            yield sys.stdout.buffer
        return
    part = output.with_name(output.name + UNFINISHED)
    try:
        with _made(output, part) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                part.unlink()
                raise
        part.rename(output)
    except ConnectionError:
        raise
    except OSError as error:
        raise BadFile(f"{output} can not be written ({error.strerror}).") from error


@contextmanager
def _listened_to() -> Generator[None]:
    try:
        yield
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        raise BadFile("Whoever was reading went away before everything was written.") from error


def _made(output: Path, part: Path) -> BinaryIO:
    if output.exists():
        raise BadFile(f"{output} is there already: name another file, or remove it.")
    try:
        return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError as error:
        raise BadFile(
            f"{part} is there already: somebody is writing it, or was cut short. Name another file,"
            " or remove it."
        ) from error
