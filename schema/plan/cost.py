"""What a document costs: one for each object it can return, many times over in lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

USUAL = 10
"""Items that a plain list without `first` is counted as."""
COUNTING = 50
"""What a total count costs: up to 10,001 rows are looked at."""
TALLYING = 200
"""What it costs to count everybody once."""

Size = Callable[[Mapping[str, Any]], int]


@dataclass(slots=True)
class Cost:
    """The cost of one object: its own, and that of what it holds, times how many of them."""

    own: int = 1
    inner: list[tuple[int | Size, "Cost"]] = field(default_factory=list["tuple[int | Size, Cost]"])

    def add(self, size: int | Size, cost: "Cost") -> None:
        self.inner.append((size, cost))

    def of(self, variables: Mapping[str, Any]) -> int:
        """The sum for these variables."""
        return self.own + sum(
            (size if isinstance(size, int) else size(variables)) * cost.of(variables)
            for size, cost in self.inner
        )

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same for all variables."""
        return all(isinstance(size, int) and cost.is_fixed for size, cost in self.inner)
