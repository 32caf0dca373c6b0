"""Who saw, was sent, changed or decided what of whom, in chains that show every tampering.

Two ways in. `draft` writes entries in the transaction whose doing they tell of; an `Auditor` puts
them in its process's chain soon after. An `Auditor` also takes entries of its own, and says when
they are kept: what an answer or a file tells of people leaves after that.
"""

from hub.audit.drafts import draft
from hub.audit.entries import PERSON, Act, Entry, each
from hub.audit.writer import Auditor

__all__ = ["PERSON", "Act", "Auditor", "Entry", "draft", "each"]
