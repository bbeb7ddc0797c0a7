"""MQTT 5 properties of what is sent and received; imports paho-mqtt as late as connection.py does."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from edge_runtime.commands import NOWHERE, ReplyTo
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.topics import route

if TYPE_CHECKING:
    from paho.mqtt.client import MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.subscribeoptions import SubscribeOptions


MAX_PACKET_BYTES: Final = 65_536
"""The broker keeps larger messages to itself (MQTT 5): whoever may publish a command could fill the memory with one,
and a message at QoS 1 would come again after every restart."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker, cut to what anybody may make us keep."""

    topic: str
    payload: bytes
    retained: bool
    """Kept by the broker, so nobody said it now."""
    reply_to: ReplyTo = NOWHERE


def require_paho() -> None:
    """Say at the start what is missing: the publisher's thread could tell nobody."""
    try:
        import_module("paho.mqtt.enums")  # not there before version 2
    except ImportError as error:
        raise EdgeRuntimeError("MQTT needs paho-mqtt 2: pip install 'paho-mqtt>=2.1,<3'") from error


def received(message: MQTTMessage, *, max_bytes: int) -> Received:
    """Take what we look at of a message."""
    properties = message.properties
    reply_to = ReplyTo(getattr(properties, "ResponseTopic", None), getattr(properties, "CorrelationData", None))
    return Received(message.topic, bytes(message.payload[:max_bytes]), bool(message.retain), reply_to)


def of_connect(options: Options) -> Properties:
    """Ask the broker to keep our session for a while, and to send us nothing large."""
    properties = _begun("CONNECT")
    properties.MaximumPacketSize = MAX_PACKET_BYTES
    properties.SessionExpiryInterval = options.settings.session_expiry_s
    return properties


def of_publish(options: Options, last_level: str, schema: str | None) -> Properties:
    """Say what a payload is; `schema` None = plain text."""
    properties = _begun("PUBLISH")
    properties.PayloadFormatIndicator = 1  # UTF-8
    properties.ContentType = "text/plain" if schema is None else "application/json"
    named = [("device_id", options.device_id)]
    properties.UserProperty = named if schema is None else [("schema", schema), *named]
    expiry_s = route(last_level).expiry_s
    if expiry_s is not None:
        properties.MessageExpiryInterval = expiry_s
    return properties


def of_will(options: Options) -> Properties:
    """Give a short absence time to end before anybody hears of it."""
    properties = _begun("WILLMESSAGE")
    properties.WillDelayInterval = options.settings.will_delay_s
    properties.PayloadFormatIndicator = 1
    properties.ContentType = "text/plain"
    return properties


def new_messages_only() -> SubscribeOptions:
    """Ask for QoS 1, and not for what was retained before."""
    from paho.mqtt.subscribeoptions import SubscribeOptions

    return SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)


def _begun(packet: str) -> Properties:
    """Begin the properties of a kind of packet."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    return Properties(getattr(PacketTypes, packet))  # type: ignore[no-untyped-call]
