"""Why there is no connection to the broker, in one line with the remedy where there is one."""

from __future__ import annotations

import ssl
from typing import Final

from edge_runtime.errors import EdgeRuntimeError

CONNECT_TIMEOUT_S: Final = 5.0
"""For the TCP connection, and once more for the TLS handshake."""


class ConnectionLostError(EdgeRuntimeError, ConnectionError):
    """The broker cannot be reached, refused us or is gone; the next try may work."""


def why(error: Exception) -> str:
    """Say what went wrong in one line, with the remedy where there is one."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message}); check mqtt.ca_file, mqtt.host and this "
            f"machine's clock"
        )
    if isinstance(error, ssl.SSLError):
        return f"no TLS connection ({error.reason or error}); check mqtt.port and mqtt.tls"
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_TIMEOUT_S:.0f} s"
    return str(getattr(error, "strerror", None) or error)
