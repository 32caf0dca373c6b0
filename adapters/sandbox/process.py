"""A sandbox as a process: pretend vendors on loopback, until they are ended."""

import argparse
import json
import logging
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn

from adapters.sandbox.serving import Sandbox
from adapters.sandbox.trouble import Connections


def run(name: str, made: Callable[[Path, str], Sandbox]) -> None:
    """Serve the books of a folder, as the command line says; the first line that is printed says
    where, as JSON. `made`: the sandbox over a folder, with the secret that lets everybody in."""
    said = _arguments(name)
    token = said.token_file.read_text().strip()
    said.folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", said.port)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sandbox = made(said.folder, token)
        told = {"url": url, "pid": os.getpid(), "vendors": [*sandbox.doors]}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        _server(sandbox).run([listening])


def _arguments(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the vendors keep books")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument(
        "--token-file",
        type=Path,
        required=True,
        help="a file with the secret: Tryton's password, Odoo's key, and the control's token",
    )
    return parser.parse_args()


def _server(app: Sandbox) -> uvicorn.Server:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # cut answers are meant here
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Connections,
            lifespan="off",
            log_config=None,
            access_log=False,
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
