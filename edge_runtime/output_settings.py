"""Settings of everything that leaves the program: console, log file, MQTT, outbox, web page."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edge_runtime.setting_types import Count, NotNegative, OptionalTopicPrefix, Positive, Section, TopicPrefix

CommandName = Literal["pause", "resume", "reload", "selftest"]
"""What can be asked of a running service."""


class Console(Section, frozen=True):
    """Events for a person's eyes."""

    enabled: bool = True
    """Print events on standard output."""
    format: Literal["text", "json"] = "text"
    """text: one readable line an event. json: the payload itself, one line each."""


class Log(Section, frozen=True):
    """Events and observations as JSON lines in a file."""

    file: str = ""
    """Path; empty = off."""
    max_mb: Positive = 16.0
    """The file is rotated when it is larger, megabytes."""
    max_age_h: Positive = 24.0
    """The file is rotated when its first line is older, hours; while it is open, a wrong clock changes nothing."""
    keep: Annotated[int, Meta(ge=0)] = 7
    """Rotated files that are kept: file.1 is the newest."""


class Mqtt(Section, frozen=True):
    """The MQTT broker."""

    host: str = ""
    """Name or address alone, without mqtt:// and port; empty = off."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """0 = 8883 with TLS, 1883 without."""
    version: Literal["5", "3.1.1"] = "5"
    """5 or 3.1.1, as text: "3.1.1"."""
    base_topic: TopicPrefix = "emotion_edge"
    """Topics are <base_topic>/<device id>/availability, status, state, event, observation."""
    username: str = ""
    """The broker's name for this device; empty = none is asked for."""
    password_file: str = ""
    """File that holds the password alone; never in this file, in argv or in a log. credential:NAME = what systemd's
    LoadCredential=NAME:FILE hands to this service alone."""
    tls: bool = False
    """Encrypt and always verify the broker's certificate."""
    ca_file: str = ""
    """Certificates to trust; empty = the system's."""
    client_cert_file: str = ""
    """Certificate of this device, PEM, for a broker that asks for one; credential:NAME here too. Needs tls."""
    client_key_file: str = ""
    """Its key, PEM; credential:NAME here too."""
    keep_alive_s: Annotated[int, Meta(ge=5, le=3600)] = 30
    """Longest silence on the connection, seconds; a broker that hears nothing for one and a half of it says offline."""
    session_expiry_s: Annotated[int, Meta(ge=10)] = 3600
    """How long the broker keeps our session; longer than the will delay."""
    will_delay_s: Annotated[int, Meta(ge=0)] = 5
    """A reconnect within this time is not reported as offline."""
    queue_size: Count = 1000
    """Messages that wait in memory while the broker is away; the oldest are dropped and counted."""
    commands: tuple[CommandName, ...] = ()
    """What may be asked for on cmd/<name>: pause, resume, reload, selftest; empty = no command is heard."""
    discovery_prefix: OptionalTopicPrefix = ""
    """homeassistant: show this device there by itself; empty = off."""
    require: bool = False
    """End with exit code 6 when the broker cannot be reached at start."""


class Outbox(Section, frozen=True):
    """Events on disk until the broker has acknowledged them, so that a power cut loses none."""

    path: str = ""
    """Database file; empty = off: events wait in memory. A service uses /var/lib/emotion-edge/outbox.db."""
    max_rows: Count = 100_000
    """Events that are kept; the oldest are dropped and counted."""
    max_mb: Annotated[float, Meta(ge=0.25)] = 64.0
    """Size of the kept events on disk, megabytes; the oldest are dropped and counted."""
    max_age_h: Positive = 168.0
    """Events that wait longer are dropped and counted, hours of running time: a wrong clock drops nothing."""
    replay_h: NotNegative = 24.0
    """Acknowledged events are kept so long, hours of running time, and can be sent again."""
    commit_ms: Annotated[int, Meta(ge=10, le=10_000)] = 200
    """Events are written in groups, so often at most; a power cut loses what is younger."""
    send_per_s: Positive = 200.0
    """Events per second that are sent when many have waited."""


class Web(Section, frozen=True):
    """The small web server: the page a person looks at, health and metrics."""

    enabled: bool = False
    """Listen at all."""
    host: str = "127.0.0.1"
    """Address to listen on. Any other than this machine's own needs token_file."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    """0 = any free one; the log says which."""
    token_file: str = ""
    """File that holds the token alone, 16 characters or more; empty = no token, on this machine only."""
    allowed_hosts: tuple[str, ...] = ()
    """Names by which browsers may call this server, beside localhost and its own address."""
    page: bool = True
    """False: health and metrics only."""
    picture: bool = True
    """False: the page draws points and boxes, and no picture reaches the server."""
    picture_width_px: Annotated[int, Meta(ge=80, le=1920)] = 640
    """Wider pictures are shrunk before they are shown."""
    jpeg_quality: Annotated[int, Meta(ge=20, le=95)] = 75
    """Of the pictures that are shown, 20 to 95."""
    max_fps: Positive = 30.0
    """Pictures and updates a second that one browser gets; up to a tenth more, so that jitter loses none."""
    mirror: bool = False
    """Show people themselves as in a mirror."""
    kiosk: bool = False
    """Open in full-screen form with large type, the notice first; `?kiosk` in the address does the same."""
    notice_file: str = ""
    """What people are told, as TOML; empty = the English text that is shipped."""
    consent_gate: bool = False
    """Open the camera only after somebody agreed on the page, which must be there: enabled and page are true."""
    consent_idle_s: NotNegative = 0.0
    """An agreement ends after so many seconds without a face; 0 = it lasts until it is taken back."""
    max_clients: Annotated[int, Meta(ge=4, le=64)] = 16
    """Connections at the same time; a browser that shows the page holds two."""
