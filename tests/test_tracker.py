"""Scripted detections: who is followed, who is forgotten and when the next search is due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.datatypes import FaceBox
from edge_runtime.geometry import Box
from edge_runtime.settings import Tracker as Settings
from edge_runtime.tracker import Tracker
from tests.faces import FACE_IN_CROP, face

LEFT, RIGHT = Box(0, 0, 100, 100), Box(300, 0, 400, 100)


def found(*boxes: Box) -> list[FaceBox]:
    """Return what a detector says."""
    return [FaceBox(box, 0.9) for box in boxes]


def shifted(box: Box, x: float, y: float = 0.0) -> Box:
    """Move a box."""
    return Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)


def step(tracker: Tracker, now: float, *boxes: Box) -> list[int]:
    """Feed the detections of one frame and return the ids of the faces that count as there."""
    tracker.update(found(*boxes), now)
    tracker.forget(now)
    return [track.track_id for track in tracker.confirmed]


def follow(tracker: Tracker) -> None:
    """Do what the pipeline does for every track that is there: give it points and a reading."""
    for track in tracker.confirmed:
        track.points, track.face = FACE_IN_CROP, face(track.track_id)


def test_a_face_counts_as_there_after_its_second_detection() -> None:
    tracker = Tracker(Settings(min_hits=2))

    assert step(tracker, 0.0, LEFT) == []
    assert step(tracker, 0.1, LEFT) == [1]


def test_a_single_false_alarm_never_becomes_a_face() -> None:
    tracker = Tracker(Settings(min_hits=2))

    seen = [step(tracker, 0.0, LEFT), step(tracker, 0.1), step(tracker, 0.2, LEFT), step(tracker, 0.3)]

    assert seen == [[], [], [], []]


def test_two_pictures_of_a_fast_camera_are_not_enough_time() -> None:
    steady, brief = (Tracker(Settings(min_hits=2, min_time_s=0.1)) for _ in range(2))

    assert [step(steady, now, LEFT) for now in (0.0, 0.033, 0.067, 0.1)] == [[], [], [], [1]]
    assert [step(brief, 0.0, LEFT), step(brief, 0.033, LEFT), step(brief, 0.067), step(brief, 0.1)] == [[], [], [], []]


def test_with_one_hit_asked_for_a_face_is_there_at_once() -> None:
    assert step(Tracker(Settings(min_hits=1)), 0.0, LEFT) == [1]


def test_a_moving_face_keeps_its_id() -> None:
    tracker = Tracker(Settings(min_hits=1))

    ids = [step(tracker, number / 10, shifted(LEFT, 25 * number)) for number in range(10)]

    assert ids == [[1]] * 10


def test_a_jump_across_the_frame_is_another_face() -> None:
    tracker = Tracker(Settings(min_hits=1, max_gap_s=0.5))

    assert step(tracker, 0.0, LEFT) == [1]
    assert step(tracker, 0.4, RIGHT) == [1, 2]
    assert step(tracker, 0.6, RIGHT) == [2]


def test_the_least_overlap_decides_who_is_the_same() -> None:
    # Boxes 100 wide, shifted by 50: overlap 1/3.
    for min_iou, ids in ((0.33, [1]), (0.34, [1, 2])):
        tracker = Tracker(Settings(min_hits=1, min_iou=min_iou))
        step(tracker, 0.0, LEFT)

        assert step(tracker, 0.1, shifted(LEFT, 50)) == ids


def test_two_faces_that_move_past_each_other_are_matched_by_their_best_overlap() -> None:
    tracker = Tracker(Settings(min_hits=1))
    step(tracker, 0.0, LEFT, shifted(LEFT, 120))

    step(tracker, 0.1, shifted(LEFT, 110), shifted(LEFT, 20))

    boxes = {track.track_id: track.box.x0 for track in tracker.confirmed}
    assert boxes == {1: 20, 2: 110}


def test_a_detection_confirms_one_track_only() -> None:
    tracker = Tracker(Settings(min_hits=1))
    step(tracker, 0.0, LEFT, shifted(LEFT, 45))  # overlap 55 / 145: two people close together

    step(tracker, 0.1, shifted(LEFT, 5))

    assert {track.track_id: track.confirmed_at for track in tracker.confirmed} == {1: 0.1, 2: 0.0}


def test_an_unconfirmed_face_is_lost_after_the_longest_gap() -> None:
    tracker = Tracker(Settings(min_hits=1, max_gap_s=0.6))
    step(tracker, 0.0, LEFT)

    assert step(tracker, 0.5) == [1]
    assert step(tracker, 0.6) == [1]
    assert step(tracker, 0.61) == []


def test_a_face_that_comes_back_gets_a_new_id() -> None:
    tracker = Tracker(Settings(min_hits=1, max_gap_s=0.6))

    step(tracker, 0.0, LEFT)
    step(tracker, 1.0)

    assert step(tracker, 1.1, LEFT) == [2]


def test_the_largest_faces_come_first_and_no_more_than_asked_for() -> None:
    tracker = Tracker(Settings(min_hits=1, max_faces=2))
    small, middle, large = (Box(200.0 * k, 0, 200.0 * k + side, side) for k, side in enumerate((50, 80, 120)))

    assert step(tracker, 0.0, small, middle, large) == [3, 2]


def test_of_two_tracks_on_one_face_the_older_stays() -> None:
    tracker = Tracker(Settings(min_hits=1))
    step(tracker, 0.0, LEFT, RIGHT)
    older, newer = sorted(tracker.confirmed, key=lambda track: track.track_id)

    newer.box = shifted(older.box, 10)  # its points led it onto the other face: overlap 90 / 110
    tracker.forget(0.1)

    assert [track.track_id for track in tracker.confirmed] == [1]


def test_a_box_inside_a_followed_face_is_no_face_of_its_own() -> None:
    tracker = Tracker(Settings(min_hits=1))
    step(tracker, 0.0, LEFT)

    # Detectors see small faces in the wrinkles of large ones.
    assert step(tracker, 0.1, LEFT, Box(20, 20, 60, 60)) == [1]


def test_two_heads_that_touch_are_two_faces() -> None:
    assert step(Tracker(Settings(min_hits=1)), 0.0, LEFT, shifted(LEFT, 60)) == [1, 2]


def test_followed_faces_that_the_detector_missed_are_told() -> None:
    tracker = Tracker(Settings(min_hits=1))
    step(tracker, 0.0, LEFT, RIGHT)
    follow(tracker)

    tracker.update(found(LEFT), 0.2)

    assert [track.track_id for track in tracker.unmatched(0.2)] == [2]


def test_points_that_agree_with_the_detector_are_kept() -> None:
    tracker = Tracker(Settings(min_hits=1))
    step(tracker, 0.0, LEFT)
    follow(tracker)

    step(tracker, 0.1, shifted(LEFT, 10))

    assert tracker.confirmed[0].points is FACE_IN_CROP
    assert tracker.confirmed[0].box == LEFT


def test_points_that_drifted_off_the_detectors_box_are_given_up() -> None:
    tracker = Tracker(Settings(min_hits=1))
    step(tracker, 0.0, LEFT)
    follow(tracker)

    step(tracker, 0.1, shifted(LEFT, 40))  # overlap 60 / 140, below (1 + 0.3) / 2

    assert tracker.confirmed[0].points is None
    assert tracker.confirmed[0].box == shifted(LEFT, 40)


def test_nobody_needs_no_search_out_of_turn() -> None:
    assert not Tracker(Settings()).wants_detection(0.0)


def test_a_new_face_is_searched_for_again_at_once() -> None:
    tracker = Tracker(Settings(min_hits=2))
    step(tracker, 0.0, LEFT)

    assert tracker.wants_detection(0.04)


def test_a_steady_face_needs_no_search_out_of_turn() -> None:
    tracker = Tracker(Settings(min_hits=1, max_gap_s=0.6))
    step(tracker, 0.0, LEFT)
    follow(tracker)

    assert not tracker.wants_detection(0.2)


def test_a_face_without_points_is_searched_for_at_once() -> None:
    tracker = Tracker(Settings(min_hits=1))
    step(tracker, 0.0, LEFT)
    follow(tracker)
    tracker.confirmed[0].points = None

    assert tracker.wants_detection(0.04)


def test_a_face_is_searched_for_before_its_gap_is_over() -> None:
    # On a slow machine every_n_frames may last longer than max_gap_s.
    tracker = Tracker(Settings(min_hits=1, max_gap_s=0.6))
    step(tracker, 0.0, LEFT)
    follow(tracker)

    assert tracker.wants_detection(0.31)


def test_faces_beyond_the_limit_do_not_cause_a_search_in_every_frame() -> None:
    tracker = Tracker(Settings(min_hits=1, max_faces=1))
    step(tracker, 0.0, LEFT, shifted(RIGHT, 100))
    follow(tracker)  # the pipeline reads the one face that is processed

    assert not tracker.wants_detection(0.04)


def test_faces_of_nearly_one_size_do_not_take_turns_where_only_one_is_read() -> None:
    tracker = Tracker(Settings(min_hits=1, max_faces=1))
    step(tracker, 0.0, LEFT, RIGHT)
    follow(tracker)
    read = tracker.confirmed[0]

    for number in range(10):
        sides = (103, 100) if number % 2 else (100, 103)  # the points of still faces jitter
        tracker.update(found(*(Box(x, 0, x + side, side) for x, side in zip((0, 300), sides, strict=True))), 0.1)
        tracker.forget(0.1)

        assert tracker.confirmed == [read]


def test_a_much_larger_face_takes_the_place_of_a_smaller_one_which_is_read_anew_later() -> None:
    tracker = Tracker(Settings(min_hits=1, max_faces=1))
    step(tracker, 0.0, LEFT)
    (small,) = tracker.confirmed
    follow(tracker)

    assert step(tracker, 0.1, LEFT, Box(300, 0, 450, 150)) == [2]
    # What was read of it is old by the time it is read again: it must not be reported, nor be the next crop.
    assert small.face is None
    assert small.points is None


def test_a_crowd_does_not_grow_the_list_without_end() -> None:
    tracker = Tracker(Settings(min_hits=1, max_faces=4, max_gap_s=0.6))

    for frame in range(20):
        boxes = [Box(300.0 * k, 300.0 * frame, 300.0 * k + 90, 300.0 * frame + 90) for k in range(30)]
        tracker.update(found(*boxes), frame / 100)

    assert len(tracker.confirmed) == 4


places = st.tuples(st.integers(0, 6), st.integers(0, 3)).map(
    lambda place: Box(80.0 * place[0], 80.0 * place[1], 80.0 * place[0] + 100, 80.0 * place[1] + 100)
)
scripts = st.lists(
    st.tuples(st.sampled_from([0.03, 0.1, 0.3, 0.7]), st.lists(places, max_size=5, unique=True)), max_size=25
)


@given(scripts, st.integers(1, 3), st.integers(1, 3))
def test_whatever_is_detected_ids_are_never_reused_and_nobody_outstays(
    script: list[tuple[float, list[Box]]], min_hits: int, max_faces: int
) -> None:
    tracker = Tracker(Settings(min_hits=min_hits, max_faces=max_faces, max_gap_s=0.6))
    now, gone, last = 0.0, set[int](), set[int]()

    for elapsed, boxes in script:
        now += elapsed
        ids = step(tracker, now, *boxes)
        follow(tracker)

        assert len(ids) == len(set(ids)) <= max_faces
        assert all(now - track.confirmed_at <= 0.6 for track in tracker.confirmed)
        assert all(track.hits >= min_hits for track in tracker.confirmed)
        assert not gone & set(ids)
        if elapsed > 0.6 and not boxes:
            gone |= last
            assert not ids
        last = set(ids)
