"""What is built is whole: it installs into an empty environment and runs from anywhere."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = {"hub", "auth", "schema", "adapters"}

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path = ROOT, path: Path | None = None) -> str:
    """What the command printed; it must succeed."""
    done = attempt(*command, cwd=cwd, path=path)
    assert done.returncode == 0, done.stderr
    return done.stdout


def attempt(
    *command: str | Path, cwd: Path, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment = clean | ({"PYTHONPATH": str(path)} if path else {})
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel built from that sdist."""
    folder = tmp_path_factory.mktemp("built")
    run(ROOT / ".ci" / "uv", "build", "--quiet", "--python", sys.executable, "--out-dir", folder)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands' folder of an environment that holds the wheel and what it depends on."""
    environment = tmp_path_factory.mktemp("environment")
    uv = ROOT / ".ci" / "uv"
    run(uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, environment)
    install = (uv, "pip", "install", "--quiet", "--python", environment)
    run(*install, "--require-hashes", "--requirement", ROOT / "requirements" / "hub.txt")
    run(*install, "--no-deps", wheel(built))
    run(uv, "pip", "check", "--quiet", "--python", environment)
    return environment / "bin"


def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


def test_wheel_holds_four_packages(built: Path) -> None:
    with ZipFile(wheel(built)) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == ROOMS
    assert "hub/names.txt" in names
    assert "hub/db/migrations/versions/0004_jobs.sql" in names
    assert not [name for name in names if "__pycache__" in name]


def test_wheel_holds_every_file_of_the_packages(built: Path) -> None:
    with ZipFile(wheel(built)) as archive:
        names = set(archive.namelist())
    files = (path for room in ROOMS for path in (ROOT / room).rglob("*") if path.is_file())
    wanted = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}
    assert wanted - names == set()


def test_sdist_holds_what_tests_need(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"Makefile", "LICENSE", "README.md", "CHANGELOG.md", ".ci/run", ".ci/uv"}
    wanted |= {"requirements/dev.txt", "tests/test_packaging.py", "docs/settings.md"}
    assert wanted - names == set()
    assert not [name for name in names if name.startswith((".venv", ".uv", "bench/results"))]


def test_hub_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    assert "Usage: hub" in run(installed / "hub", "--help", cwd=tmp_path)
    assert "0.1.0" in run(installed / "hub", "--version", cwd=tmp_path)


def test_names_are_read_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    question = "from hub.names import fold, same; print(same(fold('Маша'), fold('Maria')))"
    assert run(installed / "python", "-c", question, cwd=tmp_path) == "True\n"


def test_foreign_package_is_refused(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign" / "schema").mkdir(parents=True)
    (tmp_path / "foreign" / "schema" / "__init__.py").write_text("Schema = dict\n")
    hub = attempt(installed / "hub", "--help", cwd=tmp_path, path=tmp_path / "foreign")
    assert hub.returncode != 0
    assert "schema" in hub.stderr
    assert "Traceback" not in hub.stderr


def test_pip_settings_reach_uv(tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://mirror.invalid/simple\n"
        "[install]\nfind-links =\n    /one\n    /two\n"
    )
    said = subprocess.run(
        [run(ROOT / ".ci" / "python").strip(), ROOT / ".ci" / "pip_settings.py"],
        env={
            "PIP_CONFIG_FILE": str(config),
            "PATH": os.environ["PATH"],
            "UV_DEFAULT_INDEX": "kept",
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "export UV_FIND_LINKS=/one,/two\n" in said
    assert "UV_DEFAULT_INDEX" not in said
