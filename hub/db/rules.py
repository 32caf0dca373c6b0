"""Whom a purpose sees, by its legal basis: as SQL on a row of `customer`, and of `identifier`."""

from collections.abc import Iterator
from dataclasses import dataclass

from hub.db.roles import literal
from hub.models.base import Category

PROFILING = "profiling"
"""The purpose that counts as well where people are chosen by `PROFILED` under consent."""
PROFILED: frozenset[Category] = frozenset({"trade", "behaviour", "profile"})


@dataclass(frozen=True, slots=True)
class Use:
    """A purpose as far as its views need it.

    `profiling` is the purpose of that name as it stands; None: nobody is profiled.
    """

    key: str
    basis: str
    bit: int
    may_return: frozenset[str]
    contact_types: tuple[str, ...] | None
    profiling: "Use | None" = None

    @property
    def schema(self) -> str:
        return f"for_{self.key}"

    @property
    def mask(self) -> int:
        return 1 << self.bit

    @property
    def is_apart(self) -> bool:
        """Whether to choose people by what they did, or are thought of, wants `profiling` too."""
        return self.basis == "consent" and self.key != PROFILING

    @property
    def asks(self) -> bool:
        """Whether a refusal counts."""
        return self.basis in {"consent", "legitimate_interest"}


def rule(use: Use) -> str:
    """The condition on a customer `c` under which this purpose may see them.

    The basis decides: consent wants a grant that has not ended and no refusal, legitimate interest
    no refusal, a contract neither, a legal obligation only that the person is not erased.
    """
    return _rule((use,), STILL)


def profiled_rule(use: Use) -> str:
    """The same for choosing them by what they did or are thought of, where that wants both."""
    return "false" if use.profiling is None else _rule((use, use.profiling), STILL_PROFILED)


def _rule(uses: tuple[Use, ...], still: str) -> str:
    """Few have a grant that ends at all, so what has ended is looked up for those alone, by a
    function: to the planner each subquery costs as much as if it were asked of everybody.
    """
    is_ending = any(use.basis == "consent" for use in uses)
    ending = f' AND (c.granted_until > now() OR "{uses[0].schema}".{still}(c.id))'
    return _lasting(uses, "c.") + ending * is_ending


STILL, STILL_PROFILED = "still", "still_profiled"
"""The functions of a purpose's schema that tell whether a customer's grants have not ended. They
run with the owner's rights, and say no more than the views they stand in.
"""


def functions(use: Use) -> Iterator[tuple[str, str]]:
    """Those that a purpose has, and their bodies."""
    if use.basis == "consent":
        yield STILL, _still(use)
    if use.is_apart and use.profiling is not None:
        yield STILL_PROFILED, _still(use, use.profiling)


def _still(*uses: Use) -> str:
    keys = ", ".join(literal(use.key) for use in uses if use.basis == "consent")
    return (
        "SELECT EXISTS (SELECT FROM public.customer c WHERE c.id = $1 AND"
        f" {_lasting(uses, 'c.')}) AND NOT EXISTS (SELECT FROM public.consent_state s"
        f" WHERE s.customer_id = $1 AND s.purpose IN ({keys}) AND s.until <= now())"
    )


def counted(use: Use) -> str:
    """What of the rule the database can keep statistics of, on the columns of `customer`."""
    return _lasting((use,), "")


def counted_profiled(use: Use) -> str:
    """The same of the rule for choosing; empty where it lets nobody through."""
    return "" if use.profiling is None else _lasting((use, use.profiling), "")


def _lasting(uses: tuple[Use, ...], row: str) -> str:
    """One boolean expression, of which there are statistics: the planner takes a test of bits for
    rare.
    """
    conditions = [f"{row}status = 'active'", f"{row}erased_at IS NULL"]
    if any(use.basis != "legal_obligation" for use in uses):
        conditions.append(f"{row}restricted_at IS NULL")
    if refused := sum(use.mask for use in uses if use.asks):
        conditions.append(f"{row}refused & {refused}::bigint = 0")
    if granted := sum(use.mask for use in uses if use.basis == "consent"):
        conditions.append(f"{row}granted & {granted}::bigint = {granted}::bigint")
    return f"CASE WHEN {' AND '.join(conditions)} THEN true ELSE false END"


def contact_rule(use: Use) -> list[str]:
    """Conditions on a contact point `t` of an allowed customer `c`."""
    conditions: list[str] = []
    if use.contact_types is not None:
        kinds = ", ".join(map(literal, use.contact_types))
        conditions.append(f"t.type IN ({kinds})")
        if use.asks:
            conditions.append("t.status = 'valid'")
    if use.asks:
        conditions.append(f"t.refused & {use.mask}::bigint = 0")
    return conditions


def narrowed(use: Use) -> str:
    """The rule on a customer `c` for their contact point `t`: who agreed for some of theirs alone
    is reached by those.
    """
    if use.basis != "consent":
        return rule(use)
    mask = f"{use.mask}::bigint"
    return f"{rule(use)} AND (c.narrowed & {mask} = 0 OR t.granted & {mask} <> 0)"
