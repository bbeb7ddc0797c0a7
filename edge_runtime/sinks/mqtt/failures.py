"""Why there is no connection to the broker, in one line with the remedy where there is one."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from edge_runtime.errors import EdgeRuntimeError

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode

CONNECT_TIMEOUT_S: Final = 5.0
"""For the TCP connection, and once more for the TLS handshake."""

RETAIN_NOT_SUPPORTED: Final = 0x9A
QOS_NOT_SUPPORTED: Final = 0x9B

_LOG: Final = "see the broker's log"
_WAIT: Final = "it is tried again; if this lasts, see the broker's log"
_MOVED: Final = "it sends its clients to another broker; correct mqtt.host"

REMEDIES: Final[Mapping[int, str]] = {
    0x84: 'it does not speak MQTT 5; set mqtt.version = "3.1.1"',
    0x85: "it does not take this client's name, which is made of device.id; choose another device.id",
    0x86: "check mqtt.username and mqtt.password_file",
    0x87: "check mqtt.username and mqtt.password_file, and what the broker allows this user",
    0x88: _WAIT,
    0x89: _WAIT,
    0x8A: "its administrator has shut this device out, who alone can let it in again",
    0x90: "it does not take the topic of the last will; check mqtt.base_topic and device.id",
    0x97: "a limit of the broker is reached; raise it or connect fewer clients",
    RETAIN_NOT_SUPPORTED: (
        "it keeps no messages, and availability, status and state must be retained; "
        "let it keep retained messages, or use another broker"
    ),
    QOS_NOT_SUPPORTED: (
        "it takes messages at QoS 0 only, so no event would be known to have arrived; "
        "let it take QoS 1, or use another broker"
    ),
    0x9C: _MOVED,
    0x9D: _MOVED,
    0x9F: _WAIT,
}
"""By the reason code of a CONNACK; MQTT 3.1.1's return codes have become these in paho-mqtt."""


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


def why_not(reason: ReasonCode, properties: object) -> str | None:
    """Say why a CONNACK is no connection to work with, and the remedy; None when it is one.

    A broker may accept us and say at the same time that it lacks what every event or the retained state needs.
    """
    if reason.is_failure:
        return f"the broker refused the connection: {reason}; {REMEDIES.get(reason.value, _LOG)}"
    if getattr(properties, "MaximumQoS", 1) < 1:
        return f"the broker cannot be used: {REMEDIES[QOS_NOT_SUPPORTED]}"
    if not getattr(properties, "RetainAvailable", 1):
        return f"the broker cannot be used: {REMEDIES[RETAIN_NOT_SUPPORTED]}"
    return None
