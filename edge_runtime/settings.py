"""Every setting, its default and its unit. A setting that is not here does not exist."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Count = Annotated[int, Meta(ge=1)]
TopicLevel = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,64}$")]
"""One level of an MQTT topic: no slash, no wildcard, no NUL."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of the configuration."""


class Device(Section, frozen=True):
    """Which device this is."""

    id: TopicLevel = ""
    """Name in topics and events: letters, digits, dot, dash, underscore; empty = the host's name."""


class Deployment(Section, frozen=True):
    """Where the device is used; the EU AI Act draws lines here."""

    context: Literal["unspecified", "private", "public", "retail", "research", "medical", "workplace", "education"] = (
        "unspecified"
    )
    """workplace and education are refused without a reason (EU AI Act Art. 5(1)(f))."""
    medical_or_safety_reason: str = ""
    """Why emotion recognition is lawful at a workplace or in education."""


class Source(Section, frozen=True):
    """Where frames come from."""

    uri: str = "camera:0"
    """A video file, a folder of pictures, an rtsp:// or http(s):// address, camera[:N], picamera, or demo."""
    width_px: Count = 640
    """Asked of cameras; files keep their own size."""
    height_px: Count = 480
    """Asked of cameras."""
    fps: Positive = 30.0
    """Frames per second asked of cameras, and the rate of a folder of pictures."""
    timeout_s: Positive = 3.0
    """A camera that gives no frame for this long is broken."""


class Models(Section, frozen=True):
    """Which nets run, and on what."""

    keypoints: str = ""
    """Bundle folder or .emodel file; empty = the shipped one."""
    emotion: str = ""
    """Bundle folder or .emodel file; empty = the shipped one."""
    device: Annotated[str, Meta(pattern=r"^(cpu|edgetpu(:(usb|pci):\d+)?)$")] = "cpu"
    """cpu, edgetpu, edgetpu:usb:N or edgetpu:pci:N."""
    threads: Annotated[int, Meta(ge=1, le=16)] = 1
    """CPU threads of one net; below about 15 MMAC a second one costs more than it gives."""


class Detector(Section, frozen=True):
    """How faces are found in a whole frame."""

    kind: Literal["faces", "yunet", "haar"] = "faces"
    """faces: our own int8 net. yunet: OpenCV's net, needs a model file. haar: OpenCV's cascade."""
    model: str = ""
    """faces: bundle folder or .emodel file; empty = the shipped one. yunet: path of the ONNX file."""
    every_n_frames: Count = 5
    """A frame with a steady face is searched only so often; a lost face is searched for at once."""
    min_face_px: Annotated[int, Meta(ge=16)] = 40
    """Smaller faces are not looked for."""
    min_score: Share = 0.6
    """YuNet only: detections below are left out."""
    search_width_px: Annotated[int, Meta(ge=80)] = 320
    """Frames are shrunk to this width before faces are searched for. faces: up to 320 the shipped net of 320 x 256,
    above that of 640 x 480; another bundle has its own size."""


class Tracker(Section, frozen=True):
    """How the same face is followed over frames."""

    max_faces: Annotated[int, Meta(ge=1, le=64)] = 8
    """The largest faces are processed, others are left out; bounds the work per frame."""
    min_hits: Count = 2
    """Detections before a face counts as there."""
    max_gap_s: Positive = 0.6
    """A face that no detector run confirms for this long is lost."""
    min_iou: Share = 0.3
    """Overlap from which a detection and a track are the same face."""


class Policy(Section, frozen=True):
    """When an answer becomes an event. Unset values come from the emotion bundle."""

    enter: Share | None = None
    """Support from which a face gets an answer."""
    exit: Share | None = None
    """Support below which an answer is taken back."""
    window_s: NotNegative | None = None
    """Time constant of the smoothing of scores, seconds."""
    min_frames: Count = 3
    """Frames that a label must lead before it starts."""
    min_time_s: NotNegative = 0.25
    """Seconds that a label must lead before it starts."""
    hold_s: NotNegative = 0.6
    """Seconds without support before a label ends."""
    min_face_px: NotNegative = 32.0
    """Faces whose longer side is smaller are uncertain (small_face)."""
    min_sharpness: NotNegative = 6.0
    """Mean edge strength of the crop, grey levels per pixel, below which a face is uncertain (blurred)."""
    max_yaw: Share = 0.75
    """Head turn from which a face is uncertain (pose): 0 = frontal, 1 = the nose covers an eye."""
    keypoint_window_s: NotNegative = 0.08
    """Time constant of the smoothing of still keypoints, seconds; moving ones are smoothed less."""


class Observations(Section, frozen=True):
    """The stream of everything seen, beside events."""

    rate_hz: Annotated[float, Meta(ge=0.0)] | Literal["all"] = 1.0
    """Observations per second; 0 = none, "all" = every processed frame."""


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
    """The file is rotated when its first line is older, hours of running time."""
    keep: Annotated[int, Meta(ge=0)] = 7
    """Rotated files that are kept: file.1 is the newest."""


class Mqtt(Section, frozen=True):
    """The MQTT broker."""

    host: str = ""
    """Name or address; empty = off."""
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """0 = 8883 with TLS, 1883 without."""
    version: Literal["5", "3.1.1"] = "5"
    base_topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$")] = "emotion_edge"
    """Topics are <base_topic>/<device id>/availability, status, state, event, observation."""
    username: str = ""
    password_file: str = ""
    """File that holds the password alone; never in this file, in argv or in a log."""
    tls: bool = False
    """Encrypt and always verify the broker's certificate."""
    ca_file: str = ""
    """Certificates to trust; empty = the system's."""
    client_cert_file: str = ""
    client_key_file: str = ""
    keep_alive_s: Annotated[int, Meta(ge=5, le=3600)] = 30
    session_expiry_s: Annotated[int, Meta(ge=10)] = 3600
    """How long the broker keeps our session; longer than the will delay."""
    will_delay_s: Annotated[int, Meta(ge=0)] = 5
    """A reconnect within this time is not reported as offline."""
    queue_size: Count = 1000
    """Messages that wait in memory while the broker is away; the oldest are dropped and counted."""
    discovery_prefix: Annotated[str, Meta(pattern=r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$")] = ""
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
    max_fps: Positive = 30.0
    """Pictures and updates a second that one browser gets, at most."""
    mirror: bool = False
    """Show people themselves as in a mirror."""
    kiosk: bool = False
    """Open in full-screen form with large type, the notice first; `?kiosk` in the address does the same."""
    notice_file: str = ""
    """What people are told, as TOML; empty = the English text that is shipped."""
    consent_gate: bool = False
    """Open the camera only after somebody agreed on the page."""
    consent_idle_s: NotNegative = 0.0
    """An agreement ends after so many seconds without a face; 0 = it lasts until it is taken back."""
    max_clients: Annotated[int, Meta(ge=4, le=64)] = 16
    """Connections at the same time; a browser that shows the page holds two."""


class Service(Section, frozen=True):
    """The process."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    camera_retry_s: Positive = 1.0
    """First pause before a broken camera is opened again; doubles up to camera_retry_max_s."""
    camera_retry_max_s: Positive = 30.0
    wait_for_camera: bool = False
    """False: a camera that does not open at start ends the program (exit code 4). True: it is waited for, as a service
    should. A camera that was open once and broke is always waited for."""


class Config(Section, frozen=True):
    """The whole configuration."""

    config_version: Literal[1] = 1
    device: Device = Device()
    deployment: Deployment = Deployment()
    source: Source = Source()
    models: Models = Models()
    detector: Detector = Detector()
    tracker: Tracker = Tracker()
    policy: Policy = Policy()
    observations: Observations = Observations()
    console: Console = Console()
    log: Log = Log()
    mqtt: Mqtt = Mqtt()
    web: Web = Web()
    outbox: Outbox = Outbox()
    service: Service = Service()
