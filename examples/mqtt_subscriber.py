"""Listen to the events of all devices at a broker.

emotion-edge run --source camera --mqtt localhost &
python examples/mqtt_subscriber.py localhost
"""

from __future__ import annotations

import argparse
import json

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

TOPIC = "emotion_edge/+/event"  # + stands for any device


def main(argv: list[str] | None = None) -> int:
    """Print one line per event."""
    parser = argparse.ArgumentParser(description="Print the events of all devices at a broker.")
    parser.add_argument("host", help="name or address of the broker")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--count", type=int, metavar="N", help="end after N events")
    arguments = parser.parse_args(argv)
    left = arguments.count

    def on_connect(client: Client, *_: object) -> None:
        # Here and not below: after every reconnect the subscription has to be made again.
        client.subscribe(TOPIC, qos=1)
        print(f"listening to {TOPIC}", flush=True)

    def on_message(client: Client, _data: object, message: MQTTMessage) -> None:
        nonlocal left
        event = json.loads(message.payload)
        words = (event["time"], event["device_id"], event["event_type"], event.get("emotion", ""))
        print("  ".join(words).rstrip(), flush=True)
        left = None if left is None else left - 1
        if left == 0:
            client.disconnect()

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.on_connect = on_connect
    client.on_message = on_message
    client.connect(arguments.host, arguments.port)
    client.loop_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
