"""wrk, which keeps a server busy: requests drawn at random from a list, over a few connections."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import processes

CONNECTIONS = 8
SCRIPT = """
local asked = {}
function init()
   math.randomseed(%d)
   for name, value in pairs(%s) do wrk.headers[name] = value end
   for _, one in ipairs(%s) do
      table.insert(asked, wrk.format(one[1], one[2], nil, one[3]))
   end
end
function request() return asked[math.random(#asked)] end
function done(summary, latency)
   local failed = summary.errors
   io.write(string.format('{"requests":%%d,"seconds":%%f,"failed":%%d,"half":%%f,"most":%%f}',
      summary.requests, summary.duration / 1e6,
      failed.connect + failed.read + failed.write + failed.status + failed.timeout,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3), "\\n")
end
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What a server did under load; `half` and `most` are milliseconds that 50 and 99 % took."""

    requests: int
    seconds: float
    failed: int
    half: float
    most: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def is_here() -> bool:
    return shutil.which("wrk") is not None


def script(path: Path, headers: Mapping[str, str], asked: Sequence[Asked]) -> Path:
    """Write what wrk shall ask."""
    heads = "{" + ",".join(f"[{_text(k)}]={_text(v)}" for k, v in headers.items()) + "}"
    rows = ",".join(f"{{{_text(a.method)},{_text(a.path)},{_text(a.body)}}}" for a in asked)
    path.write_text(SCRIPT % (len(asked), heads, "{" + rows + "}"))
    return path


def _text(value: str | None) -> str:
    """A text as Lua writes it, byte by byte where it is not plain."""
    if value is None:
        return "nil"
    return '"' + "".join(_letter(byte) for byte in value.encode()) + '"'


def _letter(byte: int) -> str:
    letter = chr(byte)
    return letter if 32 <= byte < 127 and letter not in '"\\' else f"\\{byte:03}"


def run(
    address: str,
    written: Path,
    *,
    seconds: int,
    core: int | None,
    connections: int = CONNECTIONS,
) -> Load:
    """Keep the server busy for so long."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        "30s",
        "-s",
        str(written),
        address,
    ]
    with processes.on_core(core):
        told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return Load(**json.loads(told.splitlines()[-1]))
