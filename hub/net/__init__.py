"""The way out to connected systems, and the only place that knows how HTTP is spoken.

A `Line` asks one integration's vendor: signed, within limits, never at an address that is not the
vendor's, never more than fits, and again where that may help. A `Wire` asks any other address once.
"""

from hub.net.faults import TooMuch
from hub.net.line import Line
from hub.net.target import Credentials, Signed, Target, Way
from hub.net.transport import Network
from hub.net.wire import Wire

__all__ = ["Credentials", "Line", "Network", "Signed", "Target", "TooMuch", "Way", "Wire"]
