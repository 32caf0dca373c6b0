"""Packages that are installed, as far as the interpreter can see: a folder with their files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub import registry

SHOPFRONT = Path(__file__).parents[2] / "examples" / "shopfront"


@contextmanager
def installed(folder: Path, entries: dict[str, str]) -> Iterator[None]:
    """The modules in a folder, with these entry points for adapters; forgotten at the end."""
    about = folder / "outside-1.dist-info"
    about.mkdir()
    about.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1\n")
    points = "".join(f"{name} = {target}\n" for name, target in entries.items())
    about.joinpath("entry_points.txt").write_text(f"[{registry.GROUP}]\n{points}")
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    registry.adapters.cache_clear()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        registry.adapters.cache_clear()
        for module in {target.partition(":")[0] for target in entries.values()} - known:
            sys.modules.pop(module, None)


@contextmanager
def shopfront(folder: Path) -> Iterator[None]:
    """The examples of `docs/adapters/writing.md`, as a package of somebody else."""
    names = [file.stem for file in SHOPFRONT.glob("*.py")]
    for name in names:
        (folder / f"{name}.py").write_bytes((SHOPFRONT / f"{name}.py").read_bytes())
    with installed(folder, {name: f"{name}:ADAPTER" for name in names}):
        yield
