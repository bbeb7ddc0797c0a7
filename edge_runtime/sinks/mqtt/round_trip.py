"""One message to the broker and back, for the self-test: a connection of its own beside the service's."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from edge_runtime.errors import BrokerError
from edge_runtime.interfaces import Clock
from edge_runtime.sinks.mqtt.failures import why_not
from edge_runtime.sinks.mqtt.options import Options

if TYPE_CHECKING:
    from paho.mqtt.client import Client

PATIENCE_S: Final = 5.0
"""For each step: connection, subscription, acknowledgement, return."""

_TURN_S: Final = 0.05


@dataclass(frozen=True)
class RoundTrip:
    """How long a message took."""

    acknowledged_ms: float
    """From publish to the broker's PUBACK."""
    returned_ms: float
    """From publish until it came back to a subscription."""


class _Course:
    """What has happened so far; paho's callbacks note it, on the caller's own thread."""

    def __init__(self, payload: bytes, clock: Clock, broker: str, patience_s: float) -> None:
        self.connected = self.subscribed = False
        self.refused = ""
        self.acknowledged_at: float | None = None
        self.returned_at: float | None = None
        self._payload, self._clock, self._broker, self._patience_s = payload, clock, broker, patience_s

    def wait(self, client: Client, done: Callable[[], object], trouble: str) -> None:
        """Read and write until something is true; BrokerError when the broker refuses, hangs up or takes too long."""
        give_up_at = self._clock.monotonic() + self._patience_s
        while not done():
            lost = client.loop(_TURN_S) != 0
            if self.refused or lost or self._clock.monotonic() > give_up_at:
                raise BrokerError(f"{self._broker}: {self.refused or trouble}")

    def on_connect(self, _client: object, _data: object, _flags: object, reason: Any, properties: object) -> None:  # noqa: ANN401
        self.refused = why_not(reason, properties) or ""
        self.connected = not self.refused

    def on_subscribe(self, _client: object, _data: object, _mid: int, reasons: Any, _properties: object) -> None:  # noqa: ANN401
        failure = next((reason for reason in reasons if reason.is_failure), None)
        if failure is not None:
            self.refused = f"refuses the subscription ({failure}); {_READ_REMEDY}"
        self.subscribed = failure is None

    def on_publish(self, _client: object, _data: object, _mid: int, reason: Any, _properties: object) -> None:  # noqa: ANN401
        if reason.is_failure:
            self.refused = f"refuses the event ({reason}); let this user write below its topic in the access list"
        self.acknowledged_at = self._clock.monotonic()

    def on_message(self, _client: object, _data: object, message: Any) -> None:  # noqa: ANN401
        if bytes(message.payload) == self._payload:
            self.returned_at = self._clock.monotonic()


_READ_REMEDY: Final = "let this user read its own topic `.../selftest` in the broker's access list, see docs/mqtt.md"


def round_trip(
    options: Options, last_level: str, payload: bytes, *, clock: Clock, patience_s: float | None = None
) -> RoundTrip:
    """Subscribe to a topic of this device, publish there at QoS 1, and wait for the message.

    Args:
        options: the broker, as the service reaches it.
        last_level: of the topic; nothing is retained.
        payload: must be unlike any other message there.
        clock: for the times.
        patience_s: for each step; PATIENCE_S when left out.

    Raises:
        BrokerError: a step was refused or took too long.
        SinkError: the password or a certificate cannot be read.
    """
    patience_s = patience_s or PATIENCE_S
    course = _Course(payload, clock, options.broker, patience_s)
    client, topic = _client(options, course), options.topic(last_level)
    wait = partial(course.wait, client)
    try:
        _connect(client, options)
        wait(lambda: course.connected, f"no MQTT answer within {patience_s:g} s; is this the broker's port?")
        client.subscribe(topic, qos=1)
        wait(lambda: course.subscribed, f"no answer to the subscription of {topic}; see the broker's log")
        sent_at = clock.monotonic()
        client.publish(topic, payload, qos=1)
        wait(lambda: course.acknowledged_at, f"no acknowledgement within {patience_s:g} s; see the broker's log")
        wait(lambda: course.returned_at, f"the event was acknowledged, but did not come back; {_READ_REMEDY}")
    finally:
        client.disconnect()
    acknowledged_at, returned_at = course.acknowledged_at or sent_at, course.returned_at or sent_at
    return RoundTrip((acknowledged_at - sent_at) * 1000, (returned_at - sent_at) * 1000)


def _client(options: Options, course: _Course) -> Client:
    from paho.mqtt.client import Client, MQTTv5, MQTTv311
    from paho.mqtt.enums import CallbackAPIVersion

    is_5 = options.settings.version == "5"
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"{options.client_id}-selftest",  # the service's own would end the service's connection
        clean_session=None if is_5 else True,
        protocol=MQTTv5 if is_5 else MQTTv311,
        reconnect_on_failure=False,
    )
    client.on_connect, client.on_subscribe = course.on_connect, course.on_subscribe
    client.on_publish, client.on_message = course.on_publish, course.on_message
    if options.settings.username:
        client.username_pw_set(options.settings.username, options.password())
    context = options.tls_context()
    if context is not None:
        client.tls_set_context(context)
    return client


def _connect(client: Client, options: Options) -> None:
    try:
        client.connect(options.settings.host, options.port, keepalive=options.settings.keep_alive_s)
    except ssl.SSLCertVerificationError as error:
        raise BrokerError(
            f"{options.broker}: its certificate is not trusted ({error.verify_message}); check mqtt.ca_file, mqtt.host "
            f"and this machine's clock"
        ) from error
    except (OSError, ValueError) as error:
        raise BrokerError(
            f"{options.broker}: {error}; start the broker, or correct mqtt.host, mqtt.port and mqtt.tls"
        ) from error
