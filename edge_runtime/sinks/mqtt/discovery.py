"""What Home Assistant needs to show this device by itself: one retained message for the device and its six sensors.

Source: Home Assistant's MQTT integration, "device discovery payload" (dev, o, avty_t, cmps).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from edge_runtime._version import __version__
from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.topics import AVAILABILITY

BIRTH: Final = b"online"
"""What Home Assistant says when it has started."""

NOBODY: Final = "nobody"
"""Shown as the emotion when no face is there."""


def discovery_topic(options: Options) -> str:
    """Return where the description goes; Home Assistant takes letters, digits, dash and underscore."""
    return f"{options.settings.discovery_prefix}/device/{_object_id(options)}/config"


def birth_topic(options: Options) -> str:
    """Return where Home Assistant says that it has started."""
    return f"{options.settings.discovery_prefix}/status"


def discovery_payload(options: Options) -> bytes:
    """Describe the device: how many faces, which emotion, how sure, and how the service and its board are."""
    sensors = {**_sensors_of_faces(options.topic("state")), **_diagnostics(options)}
    object_id = _object_id(options)
    components = {
        f"{object_id}_{name}": {"p": "sensor", "unique_id": f"{object_id}_{name}", **sensor}
        for name, sensor in sensors.items()
    }
    device = {"ids": [object_id], "name": options.device_id, "mdl": "Emotion Edge", "sw": __version__}
    origin = {"name": "emotion-edge", "sw": __version__}
    whole = {"dev": device, "o": origin, "avty_t": options.topic(AVAILABILITY), "cmps": components}
    return msgspec.json.encode(whole)


def _sensors_of_faces(state: str) -> dict[str, dict[str, object]]:
    """Describe what is seen; `state` is the topic."""
    return {
        "faces": {"name": "Faces", "state_topic": state, "value_template": "{{ value_json.faces }}"},
        "emotion": {
            "name": "Emotion",
            "state_topic": state,
            "device_class": "enum",
            "options": [*EMOTION_LABELS, "uncertain", NOBODY],
            "value_template": f"{{{{ value_json.emotion | default('{NOBODY}') }}}}",
        },
        "confidence": {
            "name": "Confidence",
            "state_topic": state,
            "unit_of_measurement": "%",
            "value_template": "{{ (value_json.confidence * 100) | round(0) if 'confidence' in value_json else None }}",
        },
    }


def _diagnostics(options: Options) -> dict[str, dict[str, object]]:
    """Describe how the service and its board are."""
    status, telemetry = options.topic("status"), options.topic("telemetry")
    return {
        "service": {
            "name": "Service",
            "state_topic": status,
            "device_class": "enum",
            "options": ["starting", "running", "degraded", "stopping"],
            "entity_category": "diagnostic",
            "value_template": "{{ value_json.state }}",
        },
        "fps": {
            "name": "Frame rate",
            "state_topic": telemetry,
            "unit_of_measurement": "fps",
            "state_class": "measurement",
            "entity_category": "diagnostic",
            "value_template": "{{ value_json.fps }}",
        },
        "temperature": {
            "name": "Processor temperature",
            "state_topic": telemetry,
            "device_class": "temperature",
            "unit_of_measurement": "°C",
            "state_class": "measurement",
            "entity_category": "diagnostic",
            "value_template": "{{ value_json.temperature_c if 'temperature_c' in value_json else None }}",
        },
    }


def _object_id(options: Options) -> str:
    return "emotion_edge_" + re.sub(r"[^A-Za-z0-9_-]", "_", options.device_id)
