"""More faces than are followed: the largest get a place."""

from __future__ import annotations

from edge_runtime.geometry import Box
from edge_runtime.settings import Tracker as Settings
from edge_runtime.tracker import Tracker
from tests.test_tracker import step


def test_a_large_face_is_followed_also_where_the_list_is_full_of_smaller_ones() -> None:
    tracker = Tracker(Settings(min_hits=2, min_time_s=0.0, max_faces=1))
    bystanders = (Box(0, 0, 40, 40), Box(100, 0, 140, 40))
    for frame in range(3):
        step(tracker, frame / 10, *bystanders)

    step(tracker, 0.3, *bystanders, Box(200, 0, 300, 100))

    assert step(tracker, 0.4, *bystanders, Box(200, 0, 300, 100)) == [3]


def test_a_face_of_nearly_the_same_size_pushes_nobody_out_of_a_full_list() -> None:
    tracker = Tracker(Settings(min_hits=1, max_faces=1))
    followed = (Box(0, 0, 60, 60), Box(100, 0, 140, 40))
    step(tracker, 0.0, *followed)

    for frame in range(1, 5):
        step(tracker, frame / 10, *followed, Box(200, 0, 248, 48))  # 1.44 times the area of the smaller

    assert tracker.next_id == 3
