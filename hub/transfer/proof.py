"""Consents that have to be shown: a grant of which a row does not say how it is known is refused.

Whoever processes data has to be able to demonstrate that the person consented (GDPR, 7(1)).
"""

from collections.abc import Sequence
from typing import Protocol

from hub.intake import Rejection
from hub.records import AnyRecord, Consent
from hub.transfer.batch import Collected

REASON = (
    "a grant needs a method, a document or evidence: how is it known that they agreed? Fill one of"
    " the columns method, document and evidence"
)
STRANGE = "only consents are taken here: `hub import` reads other records"


class Collecting(Protocol):
    """Collects a chunk's records."""

    def add(self, numbers: Sequence[int], rows: Sequence[object]) -> None: ...

    def close(self, *, is_cut: bool = False) -> Collected: ...


class Proven:
    """Collects what another batch makes of rows, without grants that nothing proves."""

    def __init__(self, batch: Collecting) -> None:
        self._batch = batch

    def add(self, numbers: Sequence[int], rows: Sequence[object]) -> None:
        self._batch.add(numbers, rows)

    def close(self, *, is_cut: bool = False) -> Collected:
        found = self._batch.close(is_cut=is_cut)
        kept = Collected(rejections=found.rejections, known=found.known)
        for item in found.incoming:
            wrong = _wrong(item.record)
            if wrong is None:
                kept.incoming.append(item)
            else:
                kept.rejections.append(Rejection(item.row, *wrong))
        return kept


def _wrong(record: AnyRecord) -> tuple[str, str] | None:
    """The field that is wrong, and why."""
    if not isinstance(record, Consent):
        return "", STRANGE
    told = (record.method, record.document, record.evidence)
    if record.state == "granted" and not any(text.strip() for text in told):
        return "consent.evidence", REASON
    return None
