"""The import rule of `pyproject.toml`: which rooms of the house a room may use.

import-linter's own contracts name what is forbidden module by module. Rooms are easier said the
other way round, by what is open to them, so that a module written tomorrow is covered today.
"""

import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class Doors(Contract):
    """Modules in `room` (but those in `apart_from`) do not import what is in `closed`, unless it
    is in `open` as well, or is the importing module or part of it.

    A pattern stands for a module and all below it; `*` stands for one part of a name, or some of
    it (`adapters.*._*`); `stdlib` stands for the standard library. Only direct imports count: what
    a module behind an open door imports is that module's own affair.
    """

    type_name = "doors"

    room = fields.ListField(subfield=fields.StringField())
    apart_from = fields.ListField(subfield=fields.StringField(), required=False, default=[])
    closed = fields.ListField(subfield=fields.StringField())
    open = fields.ListField(subfield=fields.StringField(), required=False, default=[])

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        broken = [
            f"{importer} -> {imported} (line {_line(graph, importer, imported)})"
            for importer in sorted(graph.modules)
            if _within(importer, self.room) and not _within(importer, self.apart_from)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if _within(imported, self.closed) and not _within(imported, [*self.open, importer])
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["broken"]:
            output.print_error(line)


def _within(module: str, patterns: Iterable[str]) -> bool:
    return any(_covers(pattern, module) for pattern in patterns)


def _covers(pattern: str, module: str) -> bool:
    parts = module.split(".")
    if pattern == "stdlib":
        return parts[0] in sys.stdlib_module_names
    wanted = pattern.split(".")
    return len(parts) >= len(wanted) and all(map(fnmatchcase, parts, wanted))


def _line(graph: ImportGraph, importer: str, imported: str) -> int:
    return graph.get_import_details(importer=importer, imported=imported)[0]["line_number"]
