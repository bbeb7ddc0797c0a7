"""The way of a frame through a chain whose detector and nets read discs: places, costs, doubts and replays."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.datatypes import Frame, Observation
from edge_runtime.events import EventWriter, Identity
from edge_runtime.outlet import Outlet
from edge_runtime.pipeline import FramePipeline
from edge_runtime.policy import EventPolicy, Thresholds
from edge_runtime.settings import Policy
from edge_runtime.settings import Tracker as TrackerSettings
from edge_runtime.stages import STAGES
from edge_runtime.testing import ManualClock, MemorySink
from tests.faces import points_at
from tests.samples import MODEL
from tests.scene import DiscDetector, Place, frames, picture, pipeline, point_net

HERE: Place = (100.0, 60.0, 1.0)
SURE = math.exp(4) / (math.exp(4) + 4)


def process(chain: FramePipeline, *pictures: NDArray[np.uint8], fps: float = 25.0) -> list[Observation]:
    """Process pictures as the frames of one clip."""
    return [chain.process(frame) for frame in frames(*pictures, fps=fps)]


def test_an_empty_frame_gives_an_observation_without_faces() -> None:
    chain = pipeline(DiscDetector())

    found = chain.process(Frame(7, 1.25, picture()))

    assert (found.frame_index, found.captured_at, found.width, found.height) == (7, 1.25, 320, 240)
    assert found.faces == ()


def test_a_face_is_read_once_it_was_found_twice() -> None:
    found = process(pipeline(DiscDetector()), *[picture(HERE)] * 3)

    assert [len(observation.faces) for observation in found] == [0, 1, 1]


@pytest.mark.parametrize("place", [HERE, (10.0, 20.0, 1.5), (150.5, 90.25, 0.7), (40.0, 10.0, 2.2)])
def test_points_and_box_of_a_face_lie_where_the_face_is(place: Place) -> None:
    (face,) = process(pipeline(DiscDetector()), *[picture(place)] * 4)[-1].faces

    # Half a pixel of the crop from the net's own steps, as much from the disc's edge.
    tolerance = max(1.0, place[2])
    assert np.abs(face.keypoints.points - points_at(*place)).max() <= tolerance
    x, _, scale = place
    assert face.box.center[0] == pytest.approx(x + 48 * scale, abs=tolerance + 0.5)
    assert face.box.width == pytest.approx(81 * scale, rel=0.03)


def test_the_emotion_of_a_face_by_hand() -> None:
    (face,) = process(pipeline(DiscDetector(), shows=lambda: "surprise"), *[picture(HERE)] * 2)[-1].faces

    assert face.emotion.label == "surprise"
    assert face.emotion.support == pytest.approx(SURE)
    assert face.emotion.scores == pytest.approx([(1 - SURE) / 4] * 4 + [SURE])


def test_a_moving_face_is_followed_between_detections() -> None:
    detector = DiscDetector()
    places = [(20.0 + 3 * k, 60.0 + k, 1.0) for k in range(12)]

    found = process(pipeline(detector, every_n_frames=100), *map(picture, places), fps=100)

    assert detector.frames == 2  # to find and to confirm; 0.12 s are no reason for another search
    for place, observation in zip(places[1:], found[1:], strict=True):
        assert [face.track_id for face in observation.faces] == [1]
        assert np.abs(observation.faces[0].keypoints.points - points_at(*place)).max() <= 1.0


def test_a_steady_face_is_searched_for_on_every_nth_frame_only() -> None:
    detector = DiscDetector()

    process(pipeline(detector, every_n_frames=5), *[picture(HERE)] * 31)

    # Frame 0 finds it, frame 1 confirms it, then frames 6, 11, 16, 21, 26.
    assert (detector.frames, detector.patches) == (7, 0)


def test_nobody_is_searched_for_on_every_nth_frame_only() -> None:
    detector = DiscDetector()

    process(pipeline(detector, every_n_frames=4), *[picture()] * 9)

    assert detector.frames == 3


@pytest.mark.parametrize("fps", [1.0, 2.0, 5.0, 8.0, 15.0, 60.0])
def test_a_steady_face_is_one_face_on_slow_and_on_fast_machines(fps: float) -> None:
    chain = pipeline(DiscDetector(), tracker=TrackerSettings(min_time_s=0.0, max_gap_s=0.6), every_n_frames=5)

    found = process(chain, *[picture(HERE)] * 30, fps=fps)

    if fps > 1 / 0.6:
        assert [[face.track_id for face in observation.faces] for observation in found[1:]] == [[1]] * 29
    else:
        # Slower than the longest gap, yet every frame that confirms the face comes before it is forgotten.
        assert [face.track_id for face in found[-1].faces] == [1]


def test_a_face_that_left_is_reported_until_its_gap_is_over() -> None:
    detector = DiscDetector()
    chain = pipeline(detector, tracker=TrackerSettings(min_time_s=0.0, max_gap_s=0.58), every_n_frames=5)
    there = process(chain, *[picture(HERE)] * 10)[-1]
    assert len(there.faces) == 1

    gone = [chain.process(Frame(10 + k, 0.4 + k / 25, picture())) for k in range(20)]

    # Confirmed last on frame 6, at 0.24 s: forgotten at the first frame after 0.82 s.
    last = max(observation.captured_at for observation in gone if observation.faces)
    assert last == pytest.approx(0.80)


def test_a_face_that_the_detector_misses_in_the_frame_is_looked_at_closer() -> None:
    class NearSighted(DiscDetector):
        """Sees faces in patches only, once it has seen two frames: as of a tilted head."""

        def detect(self, pixels: NDArray[np.uint8]) -> list[object]:  # type: ignore[override]
            found = super().detect(pixels)
            return [] if pixels.shape[0] != pixels.shape[1] and self.frames > 2 else list(found)

    detector = NearSighted()
    chain = pipeline(detector, tracker=TrackerSettings(min_time_s=0.0, max_gap_s=0.3))

    found = process(chain, *[picture(HERE)] * 50)

    assert detector.patches > 0
    assert [[face.track_id for face in observation.faces] for observation in found[1:]] == [[1]] * 49


def test_a_face_that_comes_back_is_another_track_with_fresh_scores() -> None:
    answers = iter(["happy"] * 9 + ["sad"] * 9)
    policy = Policy(enter=0.6, exit=0.4, window_s=10.0, min_sharpness=0.0)
    chain = pipeline(DiscDetector(), shows=lambda: next(answers), policy=policy)
    process(chain, *[picture(HERE)] * 10)

    for number in range(10, 40):
        chain.process(Frame(number, 10.0 + number, picture()))
    back = [chain.process(Frame(40 + k, 50.0 + k / 25, picture(HERE))) for k in range(6)]

    (face,) = back[-1].faces
    assert face.track_id == 2
    assert face.emotion.label == "sad"
    assert face.emotion.support == pytest.approx(SURE)


def test_two_faces_are_read_apart_the_larger_first() -> None:
    found = process(pipeline(DiscDetector()), *[picture((10, 40, 0.9), (170, 40, 1.3))] * 3)[-1]

    large, small = found.faces
    assert large.box.area > small.box.area
    assert np.abs(large.keypoints.points - points_at(170, 40, 1.3)).max() < 1.5
    assert np.abs(small.keypoints.points - points_at(10, 40, 0.9)).max() < 1.5
    assert found.primary is large


def test_no_more_faces_are_read_than_asked_for_and_a_crowd_is_not_searched_in_every_frame() -> None:
    detector = DiscDetector()
    chain = pipeline(detector, tracker=TrackerSettings(min_time_s=0.0, max_faces=2), every_n_frames=5)

    found = process(chain, *[picture((0, 10, 0.6), (100, 10, 0.8), (210, 10, 0.9), (10, 120, 0.7))] * 31)

    assert len(found[-1].faces) == 2
    assert detector.frames == 7


def test_the_box_of_a_face_at_the_border_stays_in_the_frame() -> None:
    (face,) = process(pipeline(DiscDetector()), *[picture((-30.0, -20.0, 1.0))] * 3)[-1].faces

    assert face.box.x0 == 0
    assert face.box.y0 == 0
    assert face.box.x1 == pytest.approx(-30 + 88.5, abs=1)
    assert face.keypoints.points.min() < 0  # points may lie outside: they are where the face is


def test_a_face_of_less_support_than_enter_is_uncertain() -> None:
    policy = Policy(enter=0.95, exit=0.4, window_s=0.0, min_sharpness=0.0)

    (face,) = process(pipeline(DiscDetector(), policy=policy), *[picture(HERE)] * 2)[-1].faces

    assert (face.emotion.label, face.emotion.uncertain_reason) == ("uncertain", "low_confidence")
    assert face.emotion.leading == "happy"


@pytest.mark.parametrize(
    ("change", "reason"), [({"min_face_px": 120.0}, "small_face"), ({"min_sharpness": 50.0}, "blurred")]
)
def test_a_crop_that_cannot_be_answered_is_uncertain_with_the_reason(change: dict[str, float], reason: str) -> None:
    policy = msgspec.structs.replace(Policy(enter=0.6, exit=0.4, window_s=0.0, min_sharpness=0.0), **change)

    (face,) = process(pipeline(DiscDetector(), policy=policy), *[picture(HERE)] * 2)[-1].faces

    assert face.emotion.uncertain_reason == reason


def test_points_that_jump_off_the_face_are_not_reported() -> None:
    jumps = iter([0] * 5 + [1] + [0] * 20)

    def jumping(stored: NDArray[np.int8]) -> NDArray[np.int8]:
        answer = point_net(stored)
        return np.asarray(np.clip(answer.astype(int) + 180 * next(jumps), -128, 127), np.int8)

    detector = DiscDetector()
    found = process(pipeline(detector, points=jumping, every_n_frames=100), *[picture(HERE)] * 12)

    assert all(np.abs(face.keypoints.points - points_at(*HERE)).max() < 1 for o in found for face in o.faces)
    assert [len(observation.faces) for observation in found[1:]] == [1] * 11
    assert detector.frames == 3  # the jump asks for a search at once


def test_scores_are_smoothed_over_the_window() -> None:
    answers = iter(["happy", "sad"])
    policy = Policy(enter=0.6, exit=0.4, window_s=1 / math.log(2) / 25, min_sharpness=0.0)  # half-life: one frame
    chain = pipeline(DiscDetector(), shows=lambda: next(answers), policy=policy)

    (face,) = process(chain, *[picture(HERE)] * 3)[-1].faces

    mean = (SURE + (1 - SURE) / 4) / 2
    assert face.emotion.as_dict()["happy"] == pytest.approx(mean)
    assert face.emotion.as_dict()["sad"] == pytest.approx(mean)
    assert face.emotion.uncertain_reason == "low_confidence"


def test_a_frame_is_left_as_it_was() -> None:
    chain = pipeline(DiscDetector())
    pixels = picture(HERE)
    pixels.setflags(write=False)

    process(chain, pixels, pixels, pixels)

    assert np.array_equal(pixels, picture(HERE))


def test_every_stage_is_timed() -> None:
    chain = pipeline(DiscDetector())

    process(chain, *[picture(HERE)] * 4)

    assert all(chain.times.runs(stage) for stage in STAGES)
    assert len(chain.times.runs("total")) == 4
    assert len(chain.times.runs("emotion")) == 3
    parts = sum(sum(chain.times.runs(stage)) for stage in STAGES if stage != "total")
    assert parts <= sum(chain.times.runs("total"))


def _lines_of_a_clip() -> list[bytes]:
    clock, sink, number = ManualClock(), MemorySink(), iter(range(1000))
    places = [[(20.0 + k, 60.0, 1.0)] if 5 <= k < 60 else [] for k in range(80)]
    chain = pipeline(DiscDetector(), shows=lambda: "happy" if next(number) < 25 else "surprise")
    policy = EventPolicy(Thresholds(enter=0.6, exit=0.4, min_frames=3, min_time_s=0.1, hold_s=0.4))
    writer = EventWriter(Identity("kiosk-1", "clip.mp4", clock.uuid4(), MODEL), clock)
    outlet = Outlet([sink], writer, rate_hz=5)
    for frame in frames(*(picture(*there) for there in places)):
        clock.advance(1 / 25)
        seen = chain.process(frame)
        outlet.tell(policy.update(seen))
        outlet.show(seen)
    outlet.tell(policy.close(80 / 25, "shutdown"))
    return [message.to_json() for message in sink.messages]


def test_the_same_clip_gives_the_same_bytes_twice() -> None:
    first, second = _lines_of_a_clip(), _lines_of_a_clip()

    assert first == second
    told = [line for line in first if b"event_type" in line]
    assert [line.split(b'"event_type":"')[1].split(b'"')[0] for line in told] == [
        b"face_appeared",
        b"emotion_started",
        b"emotion_changed",
        b"emotion_ended",
        b"face_lost",
    ]


def test_a_much_larger_face_takes_the_place_of_a_smaller_one() -> None:
    chain = pipeline(DiscDetector(), tracker=TrackerSettings(min_time_s=0.0, max_faces=1), every_n_frames=1)
    process(chain, *[picture((10, 40, 0.8))] * 5)

    joined = [chain.process(Frame(5 + k, 0.2 + k / 25, picture((10, 40, 0.8), (150, 40, 1.4)))) for k in range(6)]

    assert [face.track_id for face in joined[-1].faces] == [2]
    assert np.abs(joined[-1].faces[0].keypoints.points - points_at(150, 40, 1.4)).max() < 1.5
