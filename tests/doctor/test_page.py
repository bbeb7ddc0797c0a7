"""The web server's token, notice and port, before the service is started."""

from __future__ import annotations

import socket
from pathlib import Path

from edge_runtime.doctor.finding import Finding, guarded
from edge_runtime.doctor.page import look
from edge_runtime.settings import Web

EVERYWHERE = "0.0.0.0"  # noqa: S104  what is looked at is the refusal


def found(settings: Web, *, service_runs: bool = False) -> Finding:
    """Look at the page as `check` does."""
    return guarded("page", lambda: look(settings, service_runs=service_runs))


def test_a_page_that_is_off_is_no_matter() -> None:
    assert found(Web(host=EVERYWHERE)).state == "off"


def test_a_free_port_is_well() -> None:
    well = found(Web(enabled=True, port=0))

    assert well.state == "ok"
    assert well.found.startswith("127.0.0.1 port 0: page, health")


def test_other_machines_need_a_token_and_check_says_so() -> None:
    closed = found(Web(enabled=True, host=EVERYWHERE, port=0))

    assert (closed.state, closed.exit_code) == ("failed", 3)
    assert "a token is needed" in closed.found
    assert "openssl rand -hex 24" in closed.remedy


def test_a_notice_that_lacks_a_field_is_a_failure(tmp_path: Path) -> None:
    notice = tmp_path / "notice.toml"
    notice.write_text('language = "de"\n')

    wrong = found(Web(enabled=True, port=0, notice_file=str(notice)))

    assert (wrong.state, wrong.exit_code) == ("failed", 3)
    assert "missing required field `title`" in wrong.found


def test_a_port_in_use_is_a_failure_unless_the_service_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = Web(enabled=True, port=other.getsockname()[1])

        assert (found(taken).state, found(taken).exit_code) == ("failed", 1)
        assert "Address already in use" in found(taken).found
        assert found(taken, service_runs=True).state == "ok"
