"""What a connection breaks with, in our words."""

from ssl import SSLCertVerificationError

import httpcore

from hub.net.reading import Broken

BREAKS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError)
"""All of it; OSError are errors of TLS."""


def broken(error: Exception) -> Broken:
    """One of these, for people."""
    match error:
        case httpcore.ConnectTimeout() | httpcore.ConnectError():
            if _is_distrust(error):
                return Broken("Its certificate is not one that this machine trusts")
            return Broken("It can not be reached")
        case httpcore.TimeoutException():
            return Broken("It did not answer in time", is_heavy=True)
        case _:
            return Broken("The connection broke")


def _is_distrust(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
