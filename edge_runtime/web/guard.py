"""Who may talk to the server: this machine's own browser, or who knows the token. Pure; no sockets here."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from edge_runtime.errors import ConfigError
from edge_runtime.settings import Web

logger = logging.getLogger(__name__)

LEAST_TOKEN: Final = 16
"""Characters; `openssl rand -hex 24` gives 48."""

OWN_NAMES: Final = frozenset(("localhost", "127.0.0.1", "::1"))

COOKIE: Final = "emotion_edge"

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Request:
    """What decides whether a request is answered."""

    method: str
    path: str
    """Without the query."""
    headers: Mapping[str, str]
    """Looked up without regard to case by http.client's own type."""
    given_token: str = field(default="", repr=False)
    """From ?token=."""
    own_address: str = "127.0.0.1"
    """The address of this machine that the connection came to."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not answered."""

    status: HTTPStatus
    reason: str


class Guard:
    """Host allow-list against DNS rebinding, origin check against other sites, token against other machines."""

    def __init__(self, settings: Web) -> None:
        """Read the token.

        Raises:
            ConfigError: no token although other machines can connect, or one that is too short.
        """
        self._names = OWN_NAMES | {name.lower().strip("[]") for name in settings.allowed_hosts}
        self._token = _read_token(settings)
        # A cookie must not hold the token itself: it would outlive a change of the file in nobody's sight.
        self._pass = hmac.new(self._token.encode(), b"emotion-edge page", hashlib.sha256).hexdigest()

    @property
    def cookie(self) -> str:
        """What a browser with the right token gets to keep; no script can read it, no other site can send it."""
        return f"{COOKIE}={self._pass}; Path=/; HttpOnly; SameSite=Strict"

    def refusal(self, request: Request) -> Refusal | None:
        """Return why a request must not be answered, or None."""
        return self._wrong_host(request) or self._wrong_origin(request) or self._wrong_token(request)

    def knows(self, token: str) -> bool:
        """Whether a token is the right one, in constant time."""
        return bool(self._token) and hmac.compare_digest(token.encode(), self._token.encode())

    def _wrong_host(self, request: Request) -> Refusal | None:
        match = _HOST.fullmatch(request.headers.get("Host") or "")
        name = match[1].strip("[]").lower() if match else ""
        # An address cannot be rebound to another one, so this machine's own needs no configuration.
        if name in self._names or (_is_address(name) and name == request.own_address):
            return None
        return Refusal(HTTPStatus.MISDIRECTED_REQUEST, "this name is not in web.allowed_hosts")

    def _wrong_origin(self, request: Request) -> Refusal | None:
        origin = request.headers.get("Origin")
        if origin is not None and _authority(origin) != (request.headers.get("Host") or "").lower():
            return Refusal(HTTPStatus.FORBIDDEN, "asked by a page from elsewhere")
        if request.method == "POST" and origin is None:
            return Refusal(HTTPStatus.FORBIDDEN, "no Origin: only the page itself may do this")
        site = request.headers.get("Sec-Fetch-Site", "none")
        follows_link = request.path == "/" and request.headers.get("Sec-Fetch-Mode") == "navigate"
        if site not in {"none", "same-origin"} and not follows_link:
            return Refusal(HTTPStatus.FORBIDDEN, "asked by a page from elsewhere")
        return None

    def _wrong_token(self, request: Request) -> Refusal | None:
        if not self._token or request.path == "/healthz" or self.knows(request.given_token):
            return None
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.knows(bearer.strip()):
            return None
        if any(hmac.compare_digest(found, self._pass.encode()) for found in _cookies_of(request.headers)):
            return None
        return Refusal(HTTPStatus.UNAUTHORIZED, "open the page once with ?token=, or send Authorization: Bearer")


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # such as http://[
        return None


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to an address."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookies_of(headers: Mapping[str, str]) -> Iterator[bytes]:
    """Yield our cookies among those of everything on this host: browsers tell ports apart for no cookie.

    Not with http.cookies: it drops all of them for one that it cannot read, and some versions take seconds over a long
    one with many backslashes (CVE-2024-7592).
    """
    for cookie in headers.get("Cookie", "").split(";"):
        name, _, value = cookie.strip().partition("=")
        if name == COOKIE:
            yield value.encode()


def _read_token(settings: Web) -> str:
    if not settings.token_file:
        if is_loopback(settings.host):
            return ""
        raise ConfigError(
            f"web.host = {settings.host!r}: other machines could look, so a token is needed; "
            f"`openssl rand -hex 24 > FILE`, then web.token_file = FILE"
        )
    path = Path(settings.token_file)
    try:
        token = path.read_text(encoding="utf-8").strip()
        if path.stat().st_mode & stat.S_IROTH:
            logger.warning("%s: everybody can read this token; chmod 640", path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{settings.token_file}: cannot read the token ({error}); check web.token_file") from error
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"{settings.token_file}: expected {LEAST_TOKEN} or more plain characters in one line, found {len(token)}; "
            f"write one with `openssl rand -hex 24`"
        )
    return token
