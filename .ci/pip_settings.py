"""Print pip's settings of where packages come from as exports in uv's words, for a shell to eval.

What the environment already says to uv stays.
"""

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator

# pip's setting, uv's variable, and what stands between several values there
NAMES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}


def pip_settings() -> dict[str, list[str]]:
    """Values by name: general ones first, those of `pip install` and of PIP_* over them."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
    sections: dict[str, dict[str, list[str]]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        key, equals, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if equals and section in sections:
            sections[section][name] = str(ast.literal_eval(value)).split()
    return sections["global"] | sections["install"] | sections[":env:"]


def exports(settings: dict[str, list[str]]) -> Iterator[str]:
    for name, (variable, separator) in NAMES.items():
        if settings.get(name) and variable not in os.environ:
            yield f"export {variable}={shlex.quote(separator.join(settings[name]))}"
    if settings.get("extra-index-url") and "UV_INDEX_STRATEGY" not in os.environ:
        # pip takes the best version of all its indexes; uv would stop at the first that has one.
        yield "export UV_INDEX_STRATEGY=unsafe-best-match"


if __name__ == "__main__":
    sys.stdout.write("\n".join(exports(pip_settings())) + "\n")
