"""Every setting, its default and its unit. A setting that is not here, or in output_settings.py, does not exist."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edge_runtime.output_settings import Console, Log, Mqtt, Outbox, Web
from edge_runtime.setting_types import Count, NetDevice, NotNegative, Positive, Section, Share, TopicLevel

__all__ = [
    "Config",
    "Console",
    "Deployment",
    "Detector",
    "Device",
    "Governor",
    "Log",
    "Models",
    "Mqtt",
    "Observations",
    "Outbox",
    "Policy",
    "Section",
    "Service",
    "Source",
    "Telemetry",
    "Tracker",
    "Web",
]


class Device(Section, frozen=True):
    """Which device this is."""

    id: TopicLevel = ""
    """Name in topics and events: letters, digits, dot, dash, underscore; empty = the host's name."""


class Deployment(Section, frozen=True):
    """Where the device is used; the EU AI Act draws lines here."""

    context: Literal["unspecified", "private", "public", "retail", "research", "medical", "workplace", "education"] = (
        "unspecified"
    )
    """unspecified, private, public, retail, research, medical, workplace or education. The last two are refused without
    a reason (EU AI Act Art. 5(1)(f))."""
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
    timeout_s: Positive = 2.0
    """A camera that gives no frame for this long is broken; a network camera has 10 s to answer first."""
    frozen_s: NotNegative = 2.0
    """A camera whose picture stays the same to the last pixel for this long is opened again; 0 = never."""
    flat_s: NotNegative = 2.0
    """A camera whose picture is black or of one shade for this long degrades the status, since it may be covered or it
    may be night; 0 = never."""


class Models(Section, frozen=True):
    """Which nets run, and on what."""

    keypoints: str = ""
    """Bundle folder or .emodel file; empty = the activated one of the store, else the shipped one."""
    emotion: str = ""
    """Bundle folder or .emodel file; empty = the activated one of the store, else the shipped one."""
    store: str = "/var/lib/emotion-edge/models"
    """Folder of installed models (`emotion-edge model install`); it need not exist; empty = none."""
    public_key_file: str = ""
    """minisign public key; beside the shipped models only those that it has signed are installed and run; empty =
    digests alone decide."""
    device: NetDevice = "cpu"
    """cpu, edgetpu, edgetpu:usb:N or edgetpu:pci:N. Whatever cannot run there runs on the processor, and status and log
    say why."""
    delegate: str = "libedgetpu.so.1"
    """Library of the Edge TPU, by name or path; it is loaded in a process of its own."""
    delegate_wait_s: NotNegative = 10.0
    """A start waits so long for the Edge TPU to load; then the processor runs the nets until it has."""
    threads: Annotated[int, Meta(ge=1, le=16)] = 1
    """CPU threads of one net; below about 15 MMAC a second one costs more than it gives."""


class Detector(Section, frozen=True):
    """How faces are found in a whole frame."""

    kind: Literal["faces", "yunet", "haar"] = "faces"
    """faces: our own int8 net. yunet: OpenCV's net, needs a model file. haar: OpenCV's cascade."""
    model: str = ""
    """faces: bundle folder or .emodel file; empty = the activated or the shipped one. yunet: path of the ONNX file."""
    every_n_frames: Count = 5
    """A frame with a steady face is searched only so often; a lost face is searched for at once."""
    min_face_px: Annotated[int, Meta(ge=16)] = 40
    """Smaller faces are not looked for."""
    min_score: Share | None = None
    """Detections below are left out. Without it faces takes its bundle's own scores, for large and for small faces,
    yunet 0.6; haar has no scores."""
    search_width_px: Annotated[int, Meta(ge=80)] = 320
    """Frames are shrunk to this width before faces are searched for. faces: up to 160 the shipped net of 160 x 128,
    up to 320 that of 320 x 256, above that of 640 x 480; another bundle has its own size."""


class Tracker(Section, frozen=True):
    """How the same face is followed over frames."""

    max_faces: Annotated[int, Meta(ge=1, le=64)] = 8
    """The largest faces are processed, others are left out; bounds the work per frame."""
    min_hits: Count = 2
    """Detections before a face counts as there; in a source that is a single picture one is enough."""
    min_time_s: NotNegative = 0.1
    """Seconds between the first and the last of them, at least: two frames of a fast camera are nearly one picture.
    With a min_hits of 1 a face counts at once."""
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


class Governor(Section, frozen=True):
    """Fewer frames are processed while the board is too hot or throttled. Cameras only."""

    enabled: bool = True
    """False: all frames are processed, however hot it gets."""
    hot_c: Positive = 78.0
    """Temperature of the processor from which frames are left out, degrees Celsius. A Raspberry Pi throttles itself
    at 80."""
    cool_c: Positive = 70.0
    """Temperature below which they are processed again."""
    steps_fps: Annotated[tuple[Positive, ...], Meta(min_length=1)] = (10.0, 5.0, 2.0)
    """Frames per second that are processed at most, one step after the other."""
    step_s: Positive = 30.0
    """Shortest time between two steps."""


class Telemetry(Section, frozen=True):
    """Figures about the device itself, over MQTT and in the log file. Of cameras only."""

    period_s: NotNegative = 60.0
    """0 = none."""


class Service(Section, frozen=True):
    """The process."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Of the program's own log on standard error: debug, info, warning or error."""
    log_lines_per_minute: Annotated[int, Meta(ge=0)] = 10
    """So many similar lines a minute are written to the program's own log; others are counted and the count is
    written; 0 = no limit."""
    camera_retry_s: Positive = 1.0
    """First pause before a broken camera is opened again; doubles up to camera_retry_max_s."""
    camera_retry_max_s: Positive = 30.0
    """Longest pause, seconds."""
    camera_give_up: Annotated[int, Meta(ge=0)] = 20
    """After so many failures in a row, about eight minutes, the program ends with exit code 4, so that the service
    manager starts it anew; 0 = never."""
    max_memory_mb: NotNegative = 0.0
    """With more resident memory than this the program ends in good order with exit code 1, so that the service manager
    starts it anew; 0 = no bound. Cameras only."""
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
    governor: Governor = Governor()
    telemetry: Telemetry = Telemetry()
    service: Service = Service()
