"""What a process counts while it serves: plain numbers, cheap enough for every request.

Several processes may serve one port. Each then writes its numbers into a folder they share, and
whoever is asked adds them up.
"""

import contextlib
import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path

import msgspec

Source = Callable[[], Mapping[str, float]]

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends of the latency classes, in seconds; one more holds what took longer."""
NO_KIND = "none"
"""Of a request that did not get as far as an operation."""


class Reading(msgspec.Struct):
    """All numbers of one process, or of several together."""

    counts: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    """How many requests there were, by door, kind of operation and outcome with blanks between."""
    durations: dict[str, list[int]] = msgspec.field(default_factory=dict[str, list[int]])
    seconds: dict[str, float] = msgspec.field(default_factory=dict[str, float])
    gauges: dict[str, float] = msgspec.field(default_factory=dict[str, float])
    """What is so just now, and ends with the process."""


class Figures:
    """The counters of one process."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._counts: dict[tuple[str, str, str], int] = defaultdict(int)
        self._durations: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
        self._seconds: dict[str, float] = defaultdict(float)
        self._open: dict[str, int] = defaultdict(int)
        self._sources: list[Source] = []

    def count(
        self, door: str, outcome: str, *, kind: str = "", seconds: float | None = None
    ) -> None:
        """One request ended so. All words come from short lists, never from a caller."""
        self._counts[door, kind or NO_KIND, outcome] += 1
        if seconds is not None:
            self._durations[door][bisect_left(BOUNDS, seconds)] += 1
            self._seconds[door] += seconds

    @contextlib.contextmanager
    def open(self, what: str) -> Generator[None]:
        """Something is open for as long as the block lasts."""
        self._open[what] += 1
        try:
            yield
        finally:
            self._open[what] -= 1

    def watch(self, source: Source) -> None:
        """Ask this too when somebody looks."""
        self._sources.append(source)

    def own(self) -> Reading:
        """The numbers of this process."""
        gauges = {f"open_{what}": float(number) for what, number in self._open.items()}
        for source in self._sources:
            gauges |= source()
        counts = {" ".join(words): number for words, number in self._counts.items()}
        return Reading(counts, dict(self._durations), dict(self._seconds), gauges)

    def publish(self) -> None:
        """Leave the numbers where the other processes find them."""
        if self._folder is not None:
            place = self._folder / str(os.getpid())
            unfinished = place.with_suffix(".new")
            unfinished.write_bytes(msgspec.json.encode(self.own()))
            unfinished.replace(place)

    def together(self) -> Reading:
        """The numbers of all processes; a dead one's counts stay, what it had open is gone."""
        total = self.own()
        for pid, reading in self._others():
            _add(total, reading, is_alive=_lives(pid))
        return total

    def _others(self) -> Iterator[tuple[int, Reading]]:
        for place in self._folder.iterdir() if self._folder else ():
            if place.name.isdecimal() and int(place.name) != os.getpid():
                yield int(place.name), msgspec.json.decode(place.read_bytes(), type=Reading)


def _add(total: Reading, more: Reading, *, is_alive: bool) -> None:
    for words, number in more.counts.items():
        total.counts[words] = total.counts.get(words, 0) + number
    for door, classes in more.durations.items():
        so_far = total.durations.get(door, [0] * len(classes))
        total.durations[door] = [a + b for a, b in zip(so_far, classes, strict=True)]
        total.seconds[door] = total.seconds.get(door, 0.0) + more.seconds.get(door, 0.0)
    for name, number in more.gauges.items() if is_alive else ():
        total.gauges[name] = total.gauges.get(name, 0.0) + number


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
