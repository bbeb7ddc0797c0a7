"""Who is answered: this machine, known names, pages of our own, who knows the token."""

from __future__ import annotations

import time
from email.message import Message
from http import HTTPStatus
from pathlib import Path

import msgspec
import pytest

from edge_runtime.errors import ConfigError
from edge_runtime.settings import Web
from edge_runtime.web.guard import Guard, Request, is_loopback

TOKEN = "0123456789abcdef" * 2


def request(
    path: str = "/", *, method: str = "GET", token: str = "", own: str = "127.0.0.1", **headers: str
) -> Request:
    fields = Message()
    for name, value in {"Host": "localhost:8080", **headers}.items():
        fields[name.replace("_", "-")] = value
    return Request(method, path, fields, token, own)  # type: ignore[arg-type]


def guard(**settings: object) -> Guard:
    return Guard(msgspec.convert({"enabled": True, **settings}, Web))


@pytest.fixture
def token_file(tmp_path: Path) -> str:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n", encoding="ascii")
    return str(path)


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"])
def test_own_names_are_answered(host: str) -> None:
    assert guard().refusal(request(Host=host)) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "", "localhost.evil.example", "localhost:8080@evil.example", "192.168.0.9"],
)
def test_foreign_names_are_refused(host: str) -> None:
    refusal = guard().refusal(request(Host=host))

    assert refusal is not None
    assert refusal.status == HTTPStatus.MISDIRECTED_REQUEST


def test_own_address_and_configured_names_are_answered_when_bound_elsewhere(token_file: str) -> None:
    elsewhere = guard(host="0.0.0.0", token_file=token_file, allowed_hosts=["kiosk.lan"])  # noqa: S104

    assert elsewhere.refusal(request(Host="kiosk.lan:8080", token=TOKEN)) is None
    assert elsewhere.refusal(request(Host="10.0.0.7:8080", own="10.0.0.7", token=TOKEN)) is None
    assert elsewhere.refusal(request(Host="10.0.0.8:8080", own="10.0.0.7", token=TOKEN)) is not None


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:9999", "https://localhost", "http://["]
)
def test_foreign_origins_are_refused(origin: str) -> None:
    refusal = guard().refusal(request("/updates", Origin=origin))

    assert refusal is not None
    assert refusal.status == HTTPStatus.FORBIDDEN


def test_own_origin_is_answered() -> None:
    assert guard().refusal(request("/updates", Origin="http://localhost:8080")) is None


def test_pictures_are_not_embedded_by_other_sites_but_links_to_the_page_work() -> None:
    embedded = request("/picture", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")
    link = request("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")

    assert guard().refusal(embedded) is not None
    assert guard().refusal(link) is None


def test_an_answer_needs_an_origin() -> None:
    assert guard().refusal(request("/consent", method="POST")) is not None
    assert guard().refusal(request("/consent", method="POST", Origin="http://localhost:8080")) is None


def test_token_is_needed_and_taken_from_address_header_or_cookie(token_file: str) -> None:
    closed = guard(token_file=token_file)
    cookie = closed.cookie.partition(";")[0]

    refusal = closed.refusal(request())

    assert refusal is not None
    assert refusal.status == HTTPStatus.UNAUTHORIZED
    assert closed.refusal(request(token=TOKEN)) is None
    assert closed.refusal(request(Authorization=f"Bearer {TOKEN}")) is None
    assert closed.refusal(request(Cookie=cookie)) is None
    assert closed.refusal(request("/healthz")) is None


@pytest.mark.parametrize("wrong", ["x", TOKEN[:-1], TOKEN.upper(), "ünïcode"])
def test_wrong_tokens_are_refused(wrong: str, token_file: str) -> None:
    closed = guard(token_file=token_file)

    assert closed.refusal(request(token=wrong)) is not None
    assert closed.refusal(request(Authorization=f"Bearer {wrong}")) is not None
    assert closed.refusal(request(Cookie=f"emotion_edge={wrong}")) is not None


@pytest.mark.parametrize(
    "other", ["flag", 'grafana={"a": 1}', "x{y}=1", 'v="unfinished', "expires=x", "emotion_edge=old"]
)
def test_cookies_of_other_programs_on_this_host_do_not_hide_ours(other: str, token_file: str) -> None:
    closed = guard(token_file=token_file)
    cookie = closed.cookie.partition(";")[0]

    assert closed.refusal(request(Cookie=f"{other}; {cookie}")) is None
    assert closed.refusal(request(Cookie=f"{cookie}; {other}")) is None


def test_a_long_cookie_of_a_stranger_takes_no_time(token_file: str) -> None:
    closed = guard(token_file=token_file)
    began_at = time.monotonic()

    refusal = closed.refusal(request(Cookie='a="' + '\\"' * 32_000 + '"'))

    assert refusal is not None
    assert time.monotonic() - began_at < 1.0  # http.cookies of Python 3.11.7 takes 17 s


def test_a_token_that_everybody_can_read_is_told(token_file: str, caplog: pytest.LogCaptureFixture) -> None:
    Path(token_file).chmod(0o640)
    guard(token_file=token_file)
    assert not caplog.records

    Path(token_file).chmod(0o644)
    guard(token_file=token_file)

    assert "everybody can read this token" in caplog.text
    assert TOKEN not in caplog.text


def test_cookie_does_not_hold_the_token_and_no_script_can_read_it(token_file: str) -> None:
    cookie = guard(token_file=token_file).cookie

    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_other_machines_cannot_connect_without_a_token() -> None:
    with pytest.raises(ConfigError, match=r"web\.token_file"):
        guard(host="0.0.0.0")  # noqa: S104


@pytest.mark.parametrize("text", ["", "short", "two words that are long enough", "x" * 15])
def test_poor_tokens_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match="16 or more"):
        guard(token_file=str(path))


def test_missing_token_file_is_named() -> None:
    with pytest.raises(ConfigError, match="/no/such/file"):
        guard(token_file="/no/such/file")  # noqa: S106  a path


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("::", False)])
def test_loopback_is_known(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
