"""Every error of the hub, sorted by what happens next.

HubError
├── Retry             try again later (with a time, if known)
│   ├── DatabaseUnreachable
│   └── VendorAway    a connected system does not answer, or asks to wait
├── Reconnect         a person has to connect the integration again
├── RejectedRecord    skip this record, keep it for inspection
├── StopJob           this job can not go on; a person has to change something
│   ├── AddressRefused  the address is private, or not the one that was set
│   ├── BadFile       the file, or what it says about itself, can not be read
│   ├── BadMapping    the mapping does not fit its own rules or the file
│   ├── BadSettings   the settings contradict themselves or the machine
│   ├── DataFolderInUse
│   ├── DiskFull
│   ├── Fenced        somebody else goes on with the work, or paused it
│   ├── Held          the hub was restored, and has to be brought up to date first
│   ├── ManyDeletions so much is missing at the source that it may be a mistake
│   ├── SchemaTooNew / SchemaTooOld
│   └── VendorRefused a connected system refuses what it was asked
└── Refused           the caller asked for something they can not have
    ├── AlreadyRunning  the integration is being read just now
    ├── BadInput      what they sent is not what it should be
    ├── Conflict      it contradicts what a person decided before
    ├── Forbidden     their client has no scope for it
    ├── NotFound
    ├── PurposeNeeded / PurposeNotAllowed
    ├── RateLimited   too much at a time
    └── Unauthenticated

`code` is stable and is what clients see. The message is for people: it says what to do next and
holds nothing personal.
"""

from datetime import datetime
from typing import ClassVar


class HubError(Exception):
    """The root: catch this at an edge to show one sentence instead of a traceback."""

    code: ClassVar[str] = "HUB_ERROR"


class Retry(HubError):
    """Trying again later may succeed; `at` says when, if somebody told us."""

    code = "RETRY"

    def __init__(self, message: str, *, at: datetime | None = None) -> None:
        super().__init__(message)
        self.at = at


class DatabaseUnreachable(Retry):
    """PostgreSQL does not answer at the configured address."""

    code = "DATABASE_UNREACHABLE"


class VendorAway(Retry):
    """A connected system does not answer, fails, or asks to wait."""

    code = "VENDOR_AWAY"


class Reconnect(HubError):
    """An integration's credentials no longer work."""

    code = "RECONNECT"


class RejectedRecord(HubError):
    """One record can not be taken; `field` names the place in it (`identifiers[0].value`)."""

    code = "REJECTED_RECORD"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class StopJob(HubError):
    """The job can not go on until a person changes something."""

    code = "STOPPED"


class AddressRefused(StopJob):
    """An address is private, or is not where the integration was set to lead."""

    code = "ADDRESS_REFUSED"


class BadFile(StopJob):
    """The file can not be read as what it is said to be."""

    code = "BAD_FILE"


class BadMapping(StopJob):
    """The mapping does not fit its own rules, or the file."""

    code = "BAD_MAPPING"


class BadSettings(StopJob):
    """The settings contradict themselves or the machine."""

    code = "BAD_SETTINGS"


class DataFolderInUse(StopJob):
    """Another database server, not started by this hub, uses the data folder."""

    code = "DATA_FOLDER_IN_USE"


class DiskFull(StopJob):
    """The disk that holds the database has no room left."""

    code = "DISK_FULL"


class Fenced(StopJob):
    """Another process goes on with this work, or a person paused it."""

    code = "FENCED"


class Held(StopJob):
    """The hub was restored from a backup, and what people took back since is not applied yet."""

    code = "HELD"


class ManyDeletions(StopJob):
    """So much is missing at the source that a person has to say it is meant."""

    code = "MANY_DELETIONS"


class SchemaTooNew(StopJob):
    """The database was migrated by a newer release than this code."""

    code = "SCHEMA_TOO_NEW"


class SchemaTooOld(StopJob):
    """The database has not been migrated to what this code needs."""

    code = "SCHEMA_TOO_OLD"


class VendorRefused(StopJob):
    """A connected system refuses what it was asked; the message says what to look at."""

    code = "VENDOR_REFUSED"


class Refused(HubError):
    """The caller can not have this."""

    code = "REFUSED"


class AlreadyRunning(Refused):
    """The integration is being read by another process just now."""

    code = "ALREADY_RUNNING"


class BadInput(Refused):
    """What the caller sent is not what it should be; the message says where."""

    code = "BAD_USER_INPUT"


class Forbidden(Refused):
    """The caller's client has no scope for this."""

    code = "FORBIDDEN"


class PurposeNeeded(Refused):
    """The client has several purposes, and the request does not say which one it is for."""

    code = "PURPOSE_NEEDED"


class PurposeNotAllowed(Refused):
    """The purpose is not the client's, or may not have what was asked for."""

    code = "PURPOSE_NOT_ALLOWED"


class RateLimited(Refused):
    """The client asks for too much at a time; `seconds` says how long to wait."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Unauthenticated(Refused):
    """There is no token, or it is not (or no longer) good."""

    code = "UNAUTHENTICATED"


class NotFound(Refused):
    """There is no such thing, or the caller may not know of it."""

    code = "NOT_FOUND"


class Conflict(Refused):
    """It contradicts something a person decided before."""

    code = "CONFLICT"
