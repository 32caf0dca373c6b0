"""Compiles the keys of one mapping section into readers of the record's fields."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import msgspec

from hub.errors import BadMapping
from hub.records import Address, Identifier, IdentifierType, Participant, Person
from hub.transfer import values
from hub.transfer.cells import Cells, Kind, Read, Row
from hub.transfer.mapping import (
    AddressMap,
    Cell,
    ConsentMap,
    CustomerMap,
    DetailMap,
    IdentifierMap,
    InteractionMap,
    LineMap,
    OrderMap,
    PairMap,
    ParticipantMap,
    PersonMap,
    ProductMap,
    RowMap,
    Spec,
    StoreMap,
)
from hub.transfer.values import Unreadable

AnyMap = (
    CustomerMap
    | DetailMap
    | ProductMap
    | StoreMap
    | OrderMap
    | LineMap
    | InteractionMap
    | ConsentMap
)
Fields = list[tuple[str, Read]]
"""Names of a record's fields with their readers, the decisive ones first."""

_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("external_id", "product", "store"), "id"),
    **dict.fromkeys(("quantity", "unit_price", "discount", "total", "price"), "decimal"),
    **dict.fromkeys(("observed_at", "ordered_at", "given_at"), "past"),
    **dict.fromkeys(("started_at", "ended_at"), "planned"),
    "valid_until": "until",
    "birth_date": "birth",
    "gender": "gender",
    "state": "state",
    "kind": "kind",
    "direction": "direction",
    "currency": "currency",
    "country": "country",
    "verified": "boolean",
}
"""What the fields that are not plain text hold."""

_NOTHING = Cell(constant="")
_NO = Cell(constant=False)

_SPARED = ("birth_date", "gender")
"""Fields a record is worth having without: it is recorded, and the value reported."""

_POINTS: tuple[IdentifierType, ...] = ("email", "phone", "loyalty_card", "external")
_WHO: tuple[IdentifierType, ...] = ("email", "phone", "loyalty_card")
_ELSEWHERE = frozenset(
    "full_name name_order identifiers addresses tags attributes attribute customer role "
    "participants contact_email contact_phone email phone loyalty_card external".split()
)
"""Keys that are not fields of a record by themselves."""


class FieldMaker:
    """Makes the readers of one section. What `spared` readers can not read is noted there."""

    def __init__(self, kind: str, cells: Cells, mapping: RowMap) -> None:
        self.kind = kind
        self.spared: list[tuple[str, str]] = []
        self._cells = cells
        self._map = mapping

    def fields(self, part: AnyMap) -> Fields:
        found = self._plain(part)
        match part:
            case CustomerMap():
                found += self._names(part) + self._statements(part)
            case DetailMap():
                found = [("customer", self._read(part.customer, "id", "customer")), *found]
                found += self._statements(part)
            case OrderMap():
                found += self._person(part)
            case ConsentMap():
                found = [*self._person(part), *found, *self._contact_point(part)]
            case InteractionMap():
                found.append(("participants", self._participants(part)))
            case LineMap():
                return found
            case _:
                pass
        return self._observed(part, found)

    def _read(self, spec: Spec, kind: Kind, name: str) -> Read:
        return self._cells.read(spec, kind, f"{self.kind}.{name}")

    def _plain(self, part: msgspec.Struct) -> Fields:
        """Fields that hold one value, as the section names them."""
        named = [(name, getattr(part, name)) for name in part.__struct_fields__]
        given = [(name, spec) for name, spec in named if spec and name not in _ELSEWHERE]
        given.sort(key=lambda field: field[0] != "external_id")
        return [(name, self._spare(name, spec)) for name, spec in given]

    def _spare(self, name: str, spec: Spec) -> Read:
        read = self._read(spec, _KINDS.get(name, "text"), name)
        return self._lenient(read, name) if name in _SPARED else read

    def _lenient(self, read: Read, name: str) -> Read:
        def attempt(row: Row) -> object:
            try:
                return read(row)
            except Unreadable as error:
                self.spared.append((f"{self.kind}.{name}", str(error)))
                return None

        return attempt

    def _observed(self, part: AnyMap, found: Fields) -> Fields:
        """Without a time of its own a record has the file's; a consent, when it was given."""
        if any(name == "observed_at" for name, _ in found):
            return found
        if self._map.file.observed_at is not None:
            read = self._cells.read(self._map.file.observed_at, "past", "file.observed_at")
            return [*found, ("observed_at", read)]
        if isinstance(part, ConsentMap):
            return [*found, ("observed_at", self._read(part.given_at, "past", "given_at"))]
        return found

    def _names(self, part: CustomerMap) -> Fields:
        if part.full_name is None:
            return []
        full = self._read(part.full_name, "text", "full_name")
        split = lru_cache(maxsize=64)(partial(values.names, order=part.name_order.split()))

        def reader(name: str) -> Read:
            return lambda row: split(str(text)).get(name) if (text := full(row)) else None

        names = [f"{word}_name" for word in part.name_order.split()]
        return [(name, reader(name)) for name in names if getattr(part, name) is None]

    def _statements(self, part: CustomerMap | DetailMap) -> Fields:
        """What both a customer and a detail may say."""
        found: Fields = []
        if part.identifiers or any(getattr(part, type) for type in _POINTS):
            found.append(("identifiers", self._identifiers(part)))
        if part.addresses:
            found.append(("addresses", self._addresses(part.addresses)))
        if part.tags:
            texts = self._cells.texts(part.tags, f"{self.kind}.tags")
            found.append(("tags", lambda row: tuple(dict.fromkeys(texts(row))) or None))
        if part.attributes:
            found.append(("attributes", self._attributes(part.attributes)))
        if part.attribute:
            found.append(("attributes", self._pair(part.attribute)))
        return found

    def _identifiers(self, part: CustomerMap | DetailMap) -> Read:
        plain: list[tuple[IdentifierType, Callable[[Row], list[str]]]] = [
            (type, self._cells.texts(spec, f"{self.kind}.{type}"))
            for type in _POINTS
            if (spec := getattr(part, type))
        ]
        stated = [self._identifier(one, at) for at, one in enumerate(part.identifiers)]

        def read(row: Row) -> tuple[Identifier, ...] | None:
            found = [
                Identifier(type=type, value=text) for type, texts in plain for text in texts(row)
            ]
            found += [identifier for one in stated if (identifier := one(row))]
            return tuple(found) or None

        return read

    def _identifier(self, part: IdentifierMap, at: int) -> Callable[[Row], Identifier | None]:
        place = f"identifiers[{at}]"
        type_of = self._read(_typed(part.type), "point", f"{place}.type")
        value_of = self._read(part.value, "text", f"{place}.value")
        verified_of = self._read(part.verified or _NO, "boolean", f"{place}.verified")

        def read(row: Row) -> Identifier | None:
            if (value := value_of(row)) is None:
                return None
            return Identifier(type=type_of(row), value=value, verified=bool(verified_of(row)))

        return read

    def _addresses(self, parts: tuple[AddressMap, ...]) -> Read:
        makers = [self._address(part, at) for at, part in enumerate(parts)]
        return lambda row: tuple(found for make in makers if (found := make(row))) or None

    def _address(self, part: AddressMap, at: int) -> Callable[[Row], Address | None]:
        given = [(name, getattr(part, name)) for name in part.__struct_fields__]
        readers = [
            (name, self._read(spec, _KINDS.get(name, "text"), f"addresses[{at}].{name}"))
            for name, spec in given
            if spec
        ]
        make: Callable[..., Address] = Address

        def read(row: Row) -> Address | None:
            found = {name: value for name, reader in readers if (value := reader(row))}
            return make(**found) if found.keys() - {"kind", "country"} else None

        return read

    def _attributes(self, specs: Mapping[str, Spec]) -> Read:
        readers = [(name, self._attribute(name, spec)) for name, spec in specs.items()]

        def read(row: Row) -> dict[str, object] | None:
            found = [(name, reader(row)) for name, reader in readers]
            return {name: value for name, value in found if value is not None} or None

        return read

    def _attribute(self, name: str, spec: Spec) -> Read:
        declared = self._map.attributes.get(name)
        if declared is None:
            raise BadMapping(f"the map's {self.kind}.attributes.{name} needs [attributes.{name}]")
        key = f"attributes.{name}"
        return self._lenient(self._read(spec, declared.type, key), key)

    def _pair(self, part: PairMap) -> Read:
        """An attribute that the row names itself; one the map does not declare is read as text."""
        name_of = self._read(part.key, "text", "attribute.key")
        text = self._read(part.value, "text", "attribute.value")
        readers = {
            name: self._read(part.value, declared.type, "attribute.value")
            for name, declared in self._map.attributes.items()
        }

        def read(row: Row) -> dict[str, object] | None:
            name = str(name_of(row) or "")
            value = readers.get(name, text)(row)
            return {name: value} if name and value is not None else None

        return read

    def _person(self, part: PersonMap) -> Fields:
        read = self._who(part, "")
        return [("customer", read)] if read else []

    def _who(self, part: PersonMap, place: str) -> Callable[[Row], Person | None] | None:
        """Whom the row names: by the source's id, else by the first contact point given."""
        by_id = self._read(part.customer, "id", f"{place}customer") if part.customer else None
        points: list[tuple[IdentifierType, Read]] = [
            (type, self._read(spec, "text", f"{place}{type}"))
            for type in _WHO
            if (spec := getattr(part, type))
        ]
        if by_id is None and not points:
            return None

        def read(row: Row) -> Person | None:
            if by_id and (external_id := by_id(row)):
                return Person(external_id=str(external_id))
            for type, reader in points:
                if value := reader(row):
                    return Person(identifier=Identifier(type=type, value=str(value)))
            return None

        return read

    def _participants(self, part: InteractionMap) -> Read:
        found = [self._participant(part, "")]
        found += [
            self._participant(one, f"participants[{at}].")
            for at, one in enumerate(part.participants)
        ]
        makers = [make for make in found if make]
        return lambda row: tuple(one for make in makers if (one := make(row))) or None

    def _participant(
        self, part: InteractionMap | ParticipantMap, place: str
    ) -> Callable[[Row], Participant | None] | None:
        who = self._who(part, place)
        role = self._read(part.role or _NOTHING, "text", f"{place}role")
        if who is None:
            return None

        def read(row: Row) -> Participant | None:
            person = who(row)
            return Participant(person=person, role=str(role(row) or "")) if person else None

        return read

    def _contact_point(self, part: ConsentMap) -> Fields:
        """The one address or number a consent is narrowed to."""
        email = self._read(part.contact_email or _NOTHING, "text", "contact_email")
        phone = self._read(part.contact_phone or _NOTHING, "text", "contact_phone")

        def read(row: Row) -> Identifier | None:
            if value := email(row):
                return Identifier(type="email", value=str(value))
            if value := phone(row):
                return Identifier(type="phone", value=str(value))
            return None

        return [("contact_point", read)] if part.contact_email or part.contact_phone else []


def _typed(spec: Spec) -> Spec:
    """`type = "email"` names the type itself; a column that holds it is `{ column = … }`."""
    return Cell(constant=spec) if isinstance(spec, str) else spec
