"""The way out to connected systems, and the only place that knows how HTTP is spoken.

A `Line` asks one integration's vendor: signed, within limits, never at an address that is not the
vendor's, never more than fits, and again where that may help.
"""

from hub.net.faults import TooMuch
from hub.net.line import Line
from hub.net.target import Bare, Credentials, Signed, Target
from hub.net.transport import Network

__all__ = ["Bare", "Credentials", "Line", "Network", "Signed", "Target", "TooMuch"]
