"""The `hub` command in a process of its own, forked from one that has imported it already.

What a command does is the same, and its start takes a tenth of the time.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

FORKED = multiprocessing.get_context("forkserver")
PRELOADED = [
    "adapters.erp.odoo",
    "adapters.erp.tryton",
    "anyio._backends._asyncio",
    "hub.cli.integration",
    "hub.cli.reading",
    "hub.cli.syncing",
    "hub.guard",
    "hub.logs",
    "pytest",  # a child runs the script again that began it all, which imports this
    "rich._emoji_codes",
    "uvloop",
]
STREAMS = {"in": os.O_RDONLY, "out": os.O_WRONLY, "err": os.O_WRONLY}


def run(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    stdin: str = "",
    *,
    path: Path | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run `hub` with arguments and more variables of the environment until it ends.

    Modules in the folder `path` can be imported.
    """
    FORKED.set_forkserver_preload(PRELOADED)
    with tempfile.TemporaryDirectory() as name:
        files = {stream: Path(name, stream) for stream in STREAMS}
        for file in files.values():
            file.write_text(stdin if file.name == "in" else "", encoding="utf-8")
        paths = [] if path is None else [str(path)]
        process = FORKED.Process(
            target=_run, args=(arguments, {**os.environ, **variables}, files, paths)
        )
        process.start()
        process.join()
        out, err = (files[stream].read_text(encoding="utf-8") for stream in ("out", "err"))
    assert process.exitcode is not None
    return subprocess.CompletedProcess(["hub", *arguments], process.exitcode, out, err)


def _run(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    files: Mapping[str, Path],
    paths: Sequence[str],
) -> None:
    os.environ.clear()
    os.environ.update(variables)
    sys.path[:0] = paths
    for number, (stream, mode) in enumerate(STREAMS.items()):
        os.dup2(os.open(files[stream], mode), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - to the process's end
    from hub.cli import main

    main([*arguments], prog_name="hub")
