"""Build the GraphiQL page from hub/web/graphiql into hub/web/graphiql.zip.

`graphiql.py FOLDER [ZIP]`: the work is done in FOLDER; what npm fetches is no part of the hub.
"""

import gzip
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "hub" / "web" / "graphiql"
BUNDLE = SOURCES.with_suffix(".zip")

# Packages that carry the work of others inside them say so here.
NOTICES = ("monaco-editor/ThirdPartyNotices.txt", "prettier/THIRD-PARTY-NOTICES.md")


def build(folder: Path) -> Path:
    """Run the bundler over a copy of the sources; the folder of what it wrote."""
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    # Not `npm ci`: that wants the bundler's binaries for every platform in the lock file.
    for arguments in (["install", "--no-save"], ["run", "build"]):
        npm = [ROOT / ".ci" / "npm", *arguments]
        done = subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            sys.exit(f"npm {' '.join(arguments)} failed:\n{done.stderr[:4000]}")
    return folder / "dist"


def files(built: Path, modules: Path) -> Iterator[tuple[str, bytes]]:
    """What the page consists of, by name; `sources` says from which sources it was built."""
    licences = built / "licences.md"
    yield "sources", fingerprint().encode()
    texts = [licences.read_text(), *((modules / name).read_text() for name in NOTICES)]
    yield "licences.md", "\n\n---\n\n".join(texts).encode()
    for path in sorted(built.rglob("*")):
        if path.is_file() and path != licences:
            yield path.relative_to(built).as_posix(), path.read_bytes()


def fingerprint() -> str:
    """One hash over the names and contents of the sources."""
    digest = hashlib.sha256()
    for path in sorted(path for path in SOURCES.iterdir() if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def pack(found: Iterator[tuple[str, bytes]], bundle: Path) -> None:
    """Each file is compressed by itself, to be sent as it lies; dates say nothing."""
    with ZipFile(bundle, "w") as archive:
        for name, content in found:
            archive.writestr(ZipInfo(name), gzip.compress(content, 9, mtime=0))


if __name__ == "__main__":
    folder = Path(sys.argv[1]).absolute()
    bundle = Path(sys.argv[2]) if len(sys.argv) > 2 else BUNDLE
    pack(files(build(folder), folder / "node_modules"), bundle)
    sys.stdout.write(f"{bundle.name}: {bundle.stat().st_size:,} bytes\n")
