"""What was made before, such as documents and plans: bounded in what it weighs."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Cache(Generic[T]):
    """Keeps what was used last. `weight` of all that is kept stays below `most`."""

    most: int
    weight: int = 0
    hits: int = 0
    misses: int = 0
    _kept: "OrderedDict[Hashable, tuple[T, int]]" = field(
        default_factory=OrderedDict[Hashable, tuple[T, int]]
    )

    def kept(self, key: Hashable) -> T | None:
        """What was kept under this key, if it is still there."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def found(self, key: Hashable, make: Callable[[], T], weigh: Callable[[T], int]) -> T:
        """What was kept under this key, or what `make` makes; an error is not kept."""
        kept = self._kept.get(key)
        if kept is not None:
            self.hits += 1
            self._kept.move_to_end(key)
            return kept[0]
        self.misses += 1
        made = make()
        weight = weigh(made)
        self._kept[key] = (made, weight)
        self.weight += weight
        while self.weight > self.most and len(self._kept) > 1:
            _, (_, lost) = self._kept.popitem(last=False)
            self.weight -= lost
        return made

    def clear(self) -> None:
        self._kept.clear()
        self.weight = 0
