"""Files that people write: configuration, environment, recipe, profile; and recordings, which they may have edited."""

from __future__ import annotations

from pathlib import Path

from converter.errors import ConverterError
from converter.recipe import load_recipe
from edge_runtime.config import load_config
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.recording import load_recording
from edge_runtime.replay import replayed_events, under_policy
from edge_runtime.settings import Policy
from firmware_config.errors import FirmwareError
from firmware_config.profiles import choose, load_profile
from tests.fuzz.target import Target

_TOML = (b"=", b"\n[", b"]\n", b"[[", b'"', b"'''", b"{", b"}", b"nan", b"inf", b"-1", b"1e400", b"true", b"[", b"\x00")
_JSON = (b'"', b"[", b"]", b"{", b"}", b",", b":", b"null", b"1e999", b"-1", b"\\ud800", b"\xff", b"\n")


def _configuration(data: bytes, folder: Path) -> None:
    path = folder / "config.toml"
    path.write_bytes(data)
    load_config(path)


def _environment(data: bytes, folder: Path) -> None:
    """Take one NAME=VALUE a line, as a unit's EnvironmentFile does."""
    lines = [line.partition("=") for line in data.decode("utf-8", "surrogateescape").splitlines()]
    nothing = folder / "config.toml"
    nothing.touch()
    load_config(nothing, environment={name: value for name, _, value in lines})


def _recipe(data: bytes, folder: Path) -> None:
    path = folder / "recipe.toml"
    path.write_bytes(data)
    load_recipe(str(path))


def _profile(data: bytes, folder: Path) -> None:
    path = folder / "profile.toml"
    path.write_bytes(data)
    choose(load_profile(str(path)), "auto")


def _recording(data: bytes, folder: Path) -> None:
    path = folder / "seen.jsonl"
    path.write_bytes(data)
    recording, thresholds = under_policy(load_recording(path), Policy(window_s=0.25, enter=0.5, exit=0.4))
    for message in replayed_events(recording, thresholds):
        message.to_json()


TEXT_TARGETS = (
    Target("configuration", _configuration, EdgeRuntimeError, "config.toml", (*_TOML, b"mqtt", b"policy", b"source")),
    Target("environment", _environment, EdgeRuntimeError, "EMOTION_EDGE_", (b"EMOTION_EDGE_", b"__", b"=", b"\n")),
    Target("recipe", _recipe, ConverterError, "recipe.toml", (*_TOML, b"stages", b"training")),
    Target("profile", _profile, FirmwareError, "profile.toml", (*_TOML, b"board", b"runtime")),
    Target("recording", _recording, EdgeRuntimeError, "seen.jsonl", (*_JSON, b'"line"', b'"faces"', b'"scores"')),
)
