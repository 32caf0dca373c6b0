"""Where a demo is: a folder of its own, held by one demo at a time, and what it says of itself."""

import contextlib
import os
import secrets
from collections.abc import Generator
from ipaddress import ip_network
from pathlib import Path

import msgspec

from hub.config import Settings
from hub.db.embedded import locks
from hub.errors import BadSettings, Conflict, NotFound

NAME = "customer-hub-demo"
HOST = "127.0.0.1"
HERE = (ip_network("127.0.0.0/8"),)


class Facts(msgspec.Struct, frozen=True):
    """What `demo.json` says while a demo is ready.

    A client gets tokens at `token_endpoint`; `token` is one that lives for an hour, and another is
    written in time. `user` logs in with `password`, which has to be changed then, and is empty when
    the demo starts after that.
    """

    graphql: str
    token_endpoint: str
    client_id: str
    client_secret: str
    token: str
    user: str
    password: str
    pid: int


class Place:
    """The folder of a demo."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "demo"
        self.books = self.folder / "books"
        self.password = self.folder / "password"
        self.has_consents = self.folder / "has-consents"
        self.file = data_dir / "demo.json"

    @contextlib.contextmanager
    def held(self) -> Generator[None]:
        """Make the folder, and hold it; whatever a demo left that was killed goes.

        Raises Conflict while another demo has it, BadSettings where it is somebody else's.
        """
        self._demand_ours()
        self._make()
        descriptor = locks.opened(self.folder / "lock")
        try:
            if not locks.take(descriptor, locks.EXCLUSIVE):
                raise Conflict(self._other())
            self.file.unlink(missing_ok=True)
            yield
        finally:
            os.close(descriptor)

    def _demand_ours(self) -> None:
        if (self.data_dir / "postgres").exists() and not self.folder.exists():
            raise BadSettings(
                f"{self.data_dir} is the folder of a hub with data of its own: set HUB_DATA_DIR to"
                " another one for the demo, or leave it out."
            )

    def _make(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0 and not any(self.data_dir.iterdir()):
            self.data_dir.chmod(0o711)  # the server runs as somebody else, and has to pass
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.secret("password")

    def secret(self, name: str) -> str:
        """A secret of this demo, the same at each start; made when it is first asked for."""
        path = self.folder / name
        if not path.exists():
            write(path, secrets.token_urlsafe(24).encode())
        return path.read_text()

    def _other(self) -> str:
        try:
            facts = self.facts()
        except NotFound:
            return f"A demo is just being prepared in {self.data_dir}: wait for it, or end it."
        return f"A demo runs already: {facts.graphql} (process {facts.pid}, in {self.data_dir})."

    @contextlib.contextmanager
    def told(self, facts: Facts) -> Generator[None]:
        """Say that the demo is ready, for as long as the block lasts."""
        try:
            self.tell(facts)
            yield
        finally:
            self.file.unlink(missing_ok=True)

    def tell(self, facts: Facts) -> None:
        """Say it anew."""
        write(self.file, msgspec.json.encode(facts))

    def facts(self) -> Facts:
        """What the demo that is ready says. Raises NotFound where none is."""
        try:
            return msgspec.json.decode(self.file.read_bytes(), type=Facts)
        except FileNotFoundError as error:
            raise NotFound(
                f"No demo is ready in {self.data_dir}: `make demo` starts one."
            ) from error


def settings(given: Settings) -> Settings:
    """Those of the demo: an embedded database in a folder of its own, on loopback only."""
    if given.database_url is not None:
        raise BadSettings(
            "The demo makes a database of its own: unset HUB_DATABASE_URL to start it."
        )
    is_set = "data_dir" in given.model_fields_set
    data_dir = given.data_dir if is_set else given.data_dir.with_name(NAME)
    return given.model_copy(
        update={
            "data_dir": data_dir.absolute(),
            "secret_key": None,
            "host": HOST,
            "graphiql": True,
            "workers": 1,
            "allowed_networks": HERE,
            "currency": "USD",
            "phone_region": "GB",
            "trusted_documents": "off",
            "log_level": given.log_level if "log_level" in given.model_fields_set else "warning",
        }
    )


def write(path: Path, content: bytes) -> None:
    """Write a file for this user's eyes, whole or not at all."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
