"""Events over MQTT. `sink` is what wiring uses; `connection` is the only file that imports paho-mqtt.

The frame loop hands messages over and goes on. One publisher thread owns the connection and everything that is sent.
"""

from __future__ import annotations

from edge_runtime.sinks.mqtt.sink import MqttSink

__all__ = ["MqttSink"]
