"""What a caller may see: the columns of their purpose's views that their scopes open as well."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auth.clients import PRIVACY_PURPOSE
from auth.principal import Principal
from auth.scopes import READS
from hub.db.rules import PROFILED, Use
from hub.db.schemas import CHOSEN_FROM, held, visible
from hub.errors import Forbidden, PurposeNotAllowed
from hub.models import Base
from hub.models.base import CATEGORIES, Category
from schema.plan.mapping import Entity

if TYPE_CHECKING:
    from sqlalchemy import Column

SELF = "privacy:self"
OF_ONESELF = frozenset({*READS.values(), "products:read", "stores:read", "privacy:manage", SELF})
"""What somebody bound to a customer may read, of that customer's own: their own requests too."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One purpose and one set of scopes. Everything is checked when a document is compiled.

    One that is bound sees of people and their things what is one customer's own, and of that all.
    """

    use: Use
    scopes: frozenset[str]
    is_bound: bool = False
    _columns: dict[tuple[str, bool], frozenset[str]] = field(
        default_factory=dict[tuple[str, bool], frozenset[str]], compare=False
    )

    @classmethod
    def of(cls, use: Use, principal: Principal) -> "Sight":
        """What a principal may see under a purpose. Raises Forbidden, PurposeNotAllowed."""
        if principal.customer_id is None:
            sight = cls(use, principal.scopes)
            sight.admit()
            return sight
        if use.key != PRIVACY_PURPOSE:
            raise PurposeNotAllowed(
                f"A token that is bound to a customer is for {PRIVACY_PURPOSE} and nothing else."
            )
        if SELF not in principal.scopes:
            raise Forbidden(f"A token that is bound to a customer needs the scope {SELF}.")
        return cls(use, OF_ONESELF, is_bound=True)

    @property
    def schema(self) -> str:
        """The schema of the purpose's views."""
        return self.use.schema

    def admit(self) -> None:
        """Raise unless the scopes go with the purpose: what the law wants is for few to ask."""
        is_law = self.use.basis == "legal_obligation"
        if is_law and not any(s.startswith("privacy:") and s != SELF for s in self.scopes):
            raise Forbidden(
                f"The purpose {self.use.key} needs a scope such as privacy:manage, which the client"
                " does not have."
            )

    @property
    def choosable(self) -> frozenset[Category]:
        """The categories that people may be chosen by."""
        return frozenset(category for category in CATEGORIES if self._may_choose(category))

    @property
    def opened(self) -> str:
        """SQL for the categories that the scopes open, for rows that differ in theirs."""
        names = ", ".join(f"'{name}'" for name, scope in READS.items() if scope in self.scopes)
        return f"ARRAY[{names}]::text[]"

    def demand(self, entity: Entity, columns: Sequence[str], name: str) -> None:
        """Raise unless these columns of a table may be returned; `name` is the field's."""
        shown = self._shown(entity.model)
        if not shown or not shown.issuperset(columns):
            raise PurposeNotAllowed(
                f"The purpose {self.use.key} may not have {name}: leave it out, or name a purpose"
                " that may."
            )
        if entity.scope is not None:
            self.demand_scope(entity.scope, name)
        if entity.model.reach != "{customer}":  # that there is something of a kind says a lot
            self.demand_category(entity.model.category, name)
        table = entity.model.__table__
        for column in columns:
            self.demand_category(_category(table.columns[column], entity.model), name)  # type: ignore[arg-type]  # a Column

    def demand_scope(self, scope: str, name: str) -> None:
        """Raise unless the caller's scopes have this one."""
        if scope not in self.scopes:
            raise Forbidden(f"{name} needs the scope {scope}, which the client does not have.")

    def demand_all(self, scope: str, name: str) -> None:
        """Raise unless the caller has a scope and asks about everybody."""
        if self.is_bound:
            raise Forbidden("A token that is bound to a customer has only what is their own.")
        self.demand_scope(scope, name)

    def demand_category(self, category: Category | None, name: str) -> None:
        """Raise unless the scopes open a category of data."""
        if category is not None and category != "open":
            self.demand_scope(READS[category], name)

    def demand_choice(self, categories: Iterable[Category], name: str) -> None:
        """Raise unless people may be chosen or ordered by these categories.

        Under consent, who is chosen by what they did or are thought of agreed to profiling too.
        """
        for category in categories:
            self.demand_category(category, name)
            if not self._may_choose(category):
                raise PurposeNotAllowed(
                    f"The purpose {self.use.key} may not choose or order people by {category}"
                    f" data ({name}): leave it out, or name a purpose that may."
                )

    def demand_within(self, categories: Iterable[Category], name: str) -> None:
        """Raise unless what hangs on one person may be chosen or ordered by these categories.

        That chooses nobody: it only wants that they may be returned.
        """
        for category in categories:
            self.demand_category(category, name)
            if category != "open" and category not in self.use.may_return:
                raise PurposeNotAllowed(
                    f"The purpose {self.use.key} may not have {category} data ({name}): leave it"
                    " out, or name a purpose that may."
                )

    def chosen_from(self, table: str, categories: Iterable[Category]) -> str:
        """The view to choose people from by these categories."""
        is_profiling = self.use.is_apart and not PROFILED.isdisjoint(categories)
        return f"{table}_profiled" if is_profiling and table in CHOSEN_FROM else table

    def lacks(self, entity: Entity, columns: Iterable[str]) -> bool:
        """Whether the plain view of a table is without a column, though it may be returned."""
        return not self._shown(entity.model, is_held=True).issuperset(columns)

    def _may_choose(self, category: Category) -> bool:
        if category == "open":
            return True
        is_profiling = self.use.is_apart and category in PROFILED
        may = is_profiling or category in self.use.may_return
        return may and READS[category] in self.scopes

    def _shown(self, model: type[Base], *, is_held: bool = False) -> frozenset[str]:
        key = (model.__tablename__, is_held)
        if key not in self._columns:
            self._columns[key] = frozenset((held if is_held else visible)(model, self.use))
        return self._columns[key]


def _category(column: "Column[object]", model: type[Base]) -> Category | None:
    if column.name == "customer_id" or (column.primary_key and column.name.endswith("id")):
        return None
    return column.info.get("category", model.category)
