"""What a caller may see: the columns of their purpose's views that their scopes open as well."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auth.clients import PRIVACY_PURPOSE
from auth.principal import Principal
from auth.scopes import READS
from hub.db.views import Use, visible
from hub.errors import Forbidden, PurposeNotAllowed
from hub.models import Base
from hub.models.base import CATEGORIES, Category
from schema.plan.mapping import Entity

if TYPE_CHECKING:
    from sqlalchemy import Column

SELF = "privacy:self"
OF_ONESELF = frozenset({*READS.values(), "products:read", "stores:read", SELF})
"""What somebody bound to a customer may read, of that customer's own."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One purpose and one set of scopes. Everything is checked when a document is compiled.

    One that is bound sees of people and their things what is one customer's own, and of that all.
    """

    use: Use
    scopes: frozenset[str]
    is_bound: bool = False
    _columns: dict[str, frozenset[str]] = field(
        default_factory=dict[str, frozenset[str]], compare=False
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

    def demand_category(self, category: Category | None, name: str) -> None:
        """Raise unless the scopes open a category of data."""
        if category is not None and category != "open":
            self.demand_scope(READS[category], name)

    def demand_choice(self, categories: Iterable[Category], name: str) -> None:
        """Raise unless people may be chosen or ordered by these categories.

        Under consent, what people did and what is thought of them chooses nobody: that would be
        profiling, which wants a consent of its own.
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

    def _may_choose(self, category: Category) -> bool:
        if category == "open":
            return True
        by_consent = self.use.basis == "consent" and self.use.key != "profiling"
        is_profiling = by_consent and category in {"trade", "behaviour", "profile"}
        has_scope = READS[category] in self.scopes
        return has_scope and category in self.use.may_return and not is_profiling

    def _shown(self, model: type[Base]) -> frozenset[str]:
        table = model.__tablename__
        if table not in self._columns:
            self._columns[table] = frozenset(visible(model, self.use))
        return self._columns[table]


def _category(column: "Column[object]", model: type[Base]) -> Category | None:
    if column.name == "customer_id" or (column.primary_key and column.name.endswith("id")):
        return None
    return column.info.get("category", model.category)
