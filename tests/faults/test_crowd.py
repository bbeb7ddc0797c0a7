"""Fifty faces in every frame: the work of a frame stays that of the faces that are read, for as long as it lasts."""

from __future__ import annotations

from edge_runtime.policy import EventPolicy, Thresholds
from edge_runtime.settings import Tracker as TrackerSettings
from tests.scene import DiscDetector, frames, picture, pipeline

SIZE_PX = (1300, 700)
CROWD = [(20.0 + 128.0 * column, 10.0 + 136.0 * row, 1.0) for column in range(10) for row in range(5)]
MAX_FACES = TrackerSettings().max_faces


def test_no_more_faces_are_read_in_a_frame_than_may_be_and_always_the_same_ones() -> None:
    asked = 0

    def shows() -> str:
        nonlocal asked
        asked += 1
        return "happy"

    detector = DiscDetector()
    chain = pipeline(detector, shows=shows)
    policy = EventPolicy(Thresholds(enter=0.6, exit=0.4, min_frames=3, min_time_s=0.1, hold_s=0.6))
    still = picture(*CROWD, size=SIZE_PX)
    per_frame, seen, changes = [], set(), []
    for frame in frames(*[still] * 16):
        before = asked
        observation = chain.process(frame)
        changes += policy.update(observation)
        per_frame.append(asked - before)
        seen |= {face.track_id for face in observation.faces}

    assert len(CROWD) == 50
    assert max(per_frame) == MAX_FACES
    assert len(seen) == MAX_FACES  # nobody takes turns: each turn would end a face and begin another in the events
    assert [change.change_type for change in changes].count("face_lost") == 0
    # Searched every fifth frame, in the first ones to confirm who is new, and not more often for those left out.
    assert detector.frames <= 16 / 5 + 3


def test_who_is_read_makes_room_when_it_leaves() -> None:
    chain = pipeline(DiscDetector(), tracker=TrackerSettings(max_faces=2, max_gap_s=0.3), every_n_frames=2)
    crowd = [(20.0, 20.0, 1.2), (170.0, 20.0, 1.1), (320.0, 20.0, 1.0)]
    before = [picture(*crowd, size=(480, 200))] * 10
    after = [picture(*crowd[1:], size=(480, 200))] * 30

    seen = [{round(face.box.x0) // 100 for face in chain.process(frame).faces} for frame in frames(*before, *after)]

    assert (seen[9], seen[-1]) == ({0, 1}, {1, 3})
