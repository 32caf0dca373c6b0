"""Write the table in `settings.md` from the settings themselves: `make fix`, or
`python docs/settings.py`. A test fails while the page is out of date.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from hub.config import Settings

PAGE = Path(__file__).with_suffix(".md")
BEGIN, END = "<!-- generated: make fix -->\n", "<!-- end -->\n"
# What a default is that the machine decides.
DECIDED = {
    "data_dir": "the user's data folder (`~/.local/share/customer-hub` on Linux); "
    "for root `/var/lib/customer-hub`"
}


def render(page: str) -> str:
    """The page with its table made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{''.join(table())}{END}{after}"


def table() -> Iterator[str]:
    yield "| environment | `hub.toml` | default | what it is for |\n|---|---|---|---|\n"
    for name, field in Settings.model_fields.items():
        cells = f"`HUB_{name.upper()}`", f"`{name}`", default(name, field), field.description
        yield f"| {' | '.join(map(str, cells))} |\n"


def default(name: str, field: FieldInfo) -> str:
    if name in DECIDED:
        return DECIDED[name]
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return f"`{','.join(map(str, value))}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
