"""A picture that stands still, a black one, one of one shade; and frames that are left out to cool down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.datatypes import Frame
from edge_runtime.errors import CameraFrozenError, SourceError
from edge_runtime.picture_watch import PictureWatch, WatchedSource
from edge_runtime.settings import Source as SourceSettings
from edge_runtime.testing import FakeSource

if TYPE_CHECKING:
    from typing_extensions import Self

FPS = 25.0
SECONDS = round(FPS)
"""Frames of one second."""

Picture = NDArray[np.uint8]


def noisy(count: int, *, level: int = 120, spread: float = 30.0) -> list[Picture]:
    """Draw what a sensor gives of a still scene: a little noise, so that no two pictures are the same."""
    rng = np.random.default_rng(7)
    scene = rng.normal(level, spread, (120, 160))
    return [np.clip(scene + rng.normal(0, 1, scene.shape), 0, 255).astype(np.uint8) for _ in range(count)]


def troubles(pictures: list[Picture], settings: SourceSettings | None = None) -> list[str | None]:
    watch = PictureWatch(settings or SourceSettings())
    return [watch.look(Frame(index, index / FPS, pixels)) for index, pixels in enumerate(pictures)]


def first(found: list[str | None], trouble: str) -> float:
    """Seconds after the first picture at which it was noticed."""
    return found.index(trouble) / FPS


def test_a_still_scene_before_a_real_sensor_is_no_trouble() -> None:
    assert set(troubles(noisy(4 * SECONDS))) == {None}


def test_the_same_picture_for_the_time_that_is_set_is_frozen_and_not_before() -> None:
    found = troubles(noisy(1) * (4 * SECONDS))

    assert first(found, "frozen") == pytest.approx(2.0)
    assert set(found[: found.index("frozen")]) == {None}


def test_one_pixel_that_changes_anywhere_is_a_new_picture() -> None:
    (scene,) = noisy(1)
    pictures = [scene.copy() for _ in range(4 * SECONDS)]
    for index, pixels in enumerate(pictures):
        pixels[7, 13] = index  # not one of the pixels that are looked at first

    assert set(troubles(pictures)) == {None}


def test_a_picture_that_moves_again_in_time_is_not_frozen() -> None:
    first_scene, second_scene = noisy(2)

    found = troubles([first_scene] * (2 * SECONDS) + [second_scene] * SECONDS)

    assert set(found) == {None}


def test_a_black_picture_is_black_with_noise_and_without() -> None:
    still = [np.zeros((120, 160), np.uint8)] * (4 * SECONDS)
    with_noise = noisy(4 * SECONDS, level=6, spread=0.0)

    assert first(troubles(still), "black") == pytest.approx(2.0)
    assert first(troubles(with_noise), "black") == pytest.approx(2.0)
    assert "frozen" not in troubles(still)


def test_a_white_picture_is_of_one_shade() -> None:
    found = troubles([np.full((120, 160), 255, np.uint8)] * (3 * SECONDS))

    assert found[-1] == "one shade"


def test_light_ends_the_trouble_at_once() -> None:
    dark = [np.zeros((120, 160), np.uint8)] * (3 * SECONDS)

    found = troubles(dark + noisy(3))

    assert found[-4:] == ["black", None, None, None]


def test_a_faint_night_scene_is_not_called_black() -> None:
    assert set(troubles(noisy(4 * SECONDS, level=12, spread=6.0))) == {None}


@pytest.mark.parametrize("settings", [SourceSettings(frozen_s=0.0, flat_s=0.0)])
def test_both_can_be_turned_off(settings: SourceSettings) -> None:
    assert set(troubles(noisy(1) * (5 * SECONDS), settings)) == {None}
    assert set(troubles([np.zeros((120, 160), np.uint8)] * (5 * SECONDS), settings)) == {None}


def test_a_size_that_changes_is_a_new_picture() -> None:
    small, large = np.full((120, 160), 9, np.uint8), np.full((240, 320), 9, np.uint8)
    small[0], large[0] = 255, 255

    assert set(troubles([small, large] * (2 * SECONDS))) == {None}


def test_a_watched_camera_breaks_when_its_picture_stands_still() -> None:
    moving, still = noisy(3), noisy(1) * (4 * SECONDS)
    source = WatchedSource(FakeSource([*moving, *still], fps=FPS, live=True), SourceSettings())

    with (
        source,
        pytest.raises(CameraFrozenError, match=r"fake: the same picture for 2 s") as caught,
    ):
        list(source.frames())

    assert caught.value.has_moved
    assert (caught.value.exit_code, caught.value.reason) == (4, "frozen")
    assert isinstance(caught.value, SourceError)


def test_a_camera_that_froze_from_its_first_picture_on_says_so() -> None:
    source = WatchedSource(FakeSource(noisy(1) * 100, fps=FPS, live=True), SourceSettings())

    with source, pytest.raises(CameraFrozenError) as caught:
        list(source.frames())

    assert not caught.value.has_moved


def test_every_frame_is_given_while_nobody_says_slow_down() -> None:
    source = WatchedSource(FakeSource(noisy(50), fps=FPS, live=True), SourceSettings())

    with source:
        indices = [frame.index for frame in source.frames()]

    assert indices == list(range(50))
    assert source.left_out == {"damaged": 0}


@pytest.mark.parametrize("limit_fps", [10.0, 5.0, 2.0])
def test_frames_above_the_limit_are_left_out_and_counted(limit_fps: float) -> None:
    source = WatchedSource(
        FakeSource(noisy(10 * SECONDS), fps=FPS, live=True), SourceSettings(), limit_fps=lambda: limit_fps
    )

    with source:
        given = [frame.captured_at for frame in source.frames()]

    assert len(given) / 10.0 == pytest.approx(limit_fps, abs=0.1)
    assert source.left_out["slowed"] == 250 - len(given)


def test_a_limit_above_the_cameras_rate_leaves_out_nothing() -> None:
    source = WatchedSource(FakeSource(noisy(50), fps=FPS, live=True), SourceSettings(), limit_fps=lambda: 60.0)

    with source:
        assert len(list(source.frames())) == 50


def test_slowed_frames_are_watched_all_the_same() -> None:
    pictures = noisy(1) * (4 * SECONDS)
    source = WatchedSource(FakeSource(pictures, fps=FPS, live=True), SourceSettings(), limit_fps=lambda: 2.0)
    with source, pytest.raises(CameraFrozenError):
        list(source.frames())

    assert source.left_out["slowed"] == 46  # of 50 until it was noticed; two a second were given


def test_damaged_frames_are_counted_over_openings() -> None:
    class Torn(FakeSource):
        skipped = 0

        def __enter__(self) -> Self:
            self.skipped = 0
            super().__enter__()
            return self

    torn = Torn(noisy(3), live=True)
    source = WatchedSource(torn, SourceSettings())

    for _ in range(2):
        with source:
            for frame in source.frames():
                torn.skipped = frame.index + 1

    assert source.left_out["damaged"] == 4
