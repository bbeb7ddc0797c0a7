"""What one device sends in an hour: messages and bytes of every topic, counted over clips."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.environment import write

TIMEOUT_S = 1800.0


def measure(media: Path) -> int:
    """Run the program on every listed clip with the default settings and write results/fleet-rates.json."""
    rows = {}
    for entry in json.loads((media / "clips.json").read_text(encoding="utf-8")):
        name = Path(entry["file"]).stem
        rows[name] = row = _rates(media / entry["file"], float(entry["seconds"]))
        print(name, row, flush=True)
    with_faces = [row for row in rows.values() if "event" in row["messages"]]
    write(
        "fleet-rates",
        "python -m benchmarks fleet --measure MEDIA",
        {
            "clips": rows,
            "an_hour_with_faces": _an_hour(with_faces),
            "an_hour_of_all_clips": _an_hour(list(rows.values())),
        },
    )
    return 0


def _rates(clip: Path, seconds: float) -> dict[str, Any]:
    """Count what `emotion-edge run` writes about one clip; over MQTT the same payloads go."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        command = [
            sys.executable,
            "-m",
            "edge_runtime",
            "run",
            "--source",
            str(clip),
            "--quiet",
            "--log-file",
            str(log),
        ]
        subprocess.run(command, check=True, timeout=TIMEOUT_S, capture_output=True)
        messages: Counter[str] = Counter()
        payload_bytes: Counter[str] = Counter()
        for line in log.read_bytes().splitlines():
            topic = json.loads(line)["schema"].split(".")[1].partition("/")[0]
            messages[topic] += 1
            payload_bytes[topic] += len(line)
    return {"seconds": seconds, "messages": dict(messages), "payload_bytes": dict(payload_bytes)}


def _an_hour(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Scale the sums of some clips to one hour."""
    hours = sum(row["seconds"] for row in rows) / 3600.0
    topics = sorted({topic for row in rows for topic in row["messages"]})
    counts = {topic: sum(row["messages"].get(topic, 0) for row in rows) for topic in topics}
    sizes = {topic: sum(row["payload_bytes"].get(topic, 0) for row in rows) for topic in topics}
    return {
        "seconds_measured": round(3600.0 * hours, 1),
        "messages": {topic: round(count / hours) for topic, count in counts.items()},
        "payload_bytes": {topic: round(sizes[topic] / hours) for topic in topics},
        "bytes_a_message": {topic: round(sizes[topic] / counts[topic]) for topic in topics},
    }
