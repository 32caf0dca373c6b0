"""What happens after an answer that is not what was asked for, by its status and its body."""

from hub.adapter import Adapter, Answer, When
from hub.errors import VendorAway
from hub.net.places import at

FINE = range(200, 300)

FAILS = When(
    then="retry",
    status=frozenset({408, 425, *range(500, 600)}),
    say="It fails: look whether it works for others; the hub tries again by itself.",
)
TABLE = (
    When(
        then="renew",
        status=frozenset({401}),
        say="It does not take the credentials: connect it again with `hub integration add`.",
    ),
    When(
        then="reconnect",
        status=frozenset({403}),
        say="It does not let these credentials do this: give its user the rights, or connect it"
        " again with `hub integration add`.",
    ),
    When(then="wait", status=frozenset({429}), say="It asks to wait."),
    FAILS,
    When(
        then="stop",
        status=frozenset(range(300, 400)),
        say="It leads elsewhere: correct the address.",
    ),
    When(
        then="stop",
        say="It refuses what it was asked: look at the address, the settings and its version.",
    ),
)
"""What is true of every vendor, after the rules of its own."""


class TooMuch(VendorAway):
    """The answer was too large, took too long or was cut off: asking for less may help."""


def judge(adapter: Adapter, answer: Answer) -> When | None:
    """The first rule that an answer falls under, None where nothing is wrong with it.

    The vendor's own rules come first, for any status; those of the table are for failures.
    """
    rules = adapter.faults if answer.status in FINE else (*adapter.faults, *TABLE)
    return next((rule for rule in rules if _fits(rule, answer)), None)


def _fits(rule: When, answer: Answer) -> bool:
    if rule.status and answer.status not in rule.status:
        return False
    return not rule.at or _is_there(rule, at(answer.body, rule.at))


def _is_there(rule: When, found: object) -> bool:
    """Whether a place of the body says what the rule is for; null and false say nothing."""
    if not rule.among:
        return found is not None and found is not False
    return isinstance(found, str) and found.startswith(rule.among)
