"""`emotion-edge outbox` over a file that a run has left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_runtime.__main__ import main
from edge_runtime.outbox.store import Store, StoredEvent
from edge_runtime.settings import Outbox


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Three events, of which the broker has two."""
    path = tmp_path / "outbox.db"
    events = [
        StoredEvent("event", "emotion-edge.event/1", json.dumps(payload).encode(), replayed=False)
        for payload in (
            {"boot_id": "b", "seq": seq, "event_type": "face_appeared", "time": "2026-01-01T00:00:00.000Z"}
            for seq in (1, 2, 3)
        )
    ]
    store = Store(Outbox(path=str(path)))
    store.commit(events, [], 0.0)
    store.commit([], [1, 2], 1.0)
    store.close()
    return path


def test_show_counts_and_lists(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["outbox", "show", "--path", str(stored), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (told["summary"]["waiting"], told["summary"]["sent"]) == (1, 2)
    assert [row["waiting"] for row in told["rows"]] == [False, False, True]


def test_replay_lets_acknowledged_events_wait_again(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["outbox", "replay", "--from", "2", "--path", str(stored)])

    assert code == 0
    assert capsys.readouterr().out == "1 events to be sent again\n"


def test_purge_keeps_what_the_broker_never_got(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["outbox", "purge", "--path", str(stored)])
    main(["outbox", "show", "--path", str(stored), "--json"])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 events deleted"
    assert json.loads(lines[1])["summary"]["waiting"] == 1


def test_without_a_path_the_remedy_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["outbox", "show"])

    assert code == 2
    assert "set it in the configuration, or give --path FILE" in capsys.readouterr().err
