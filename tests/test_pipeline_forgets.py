"""What a chain does after its camera was gone: nobody is taken for somebody from before."""

from __future__ import annotations

from tests.scene import DiscDetector, Place, frames, picture, pipeline

HERE: Place = (100.0, 60.0, 1.0)


def test_forgotten_faces_come_back_under_new_ids() -> None:
    chain = pipeline(DiscDetector())
    clip = list(frames(*[picture(HERE)] * 6))
    before = [face.track_id for frame in clip[:3] for face in chain.process(frame).faces]

    chain.forget_faces()
    after = [face.track_id for frame in clip[3:] for face in chain.process(frame).faces]

    assert set(before) == {1}
    assert set(after) == {2}


def test_when_frames_change_their_size_nobody_from_before_has_a_box_outside_the_new_ones() -> None:
    chain = pipeline(DiscDetector(), every_n_frames=100)
    large, small = picture((180.0, 120.0, 1.0)), picture((20.0, 10.0, 1.0), size=(160, 120))

    found = [chain.process(frame) for frame in frames(*[large] * 4, *[small] * 4)]

    assert [[face.track_id for face in seen.faces] for seen in found] == [[], [1], [1], [1], [], [2], [2], [2]]
    assert all(face.box.x1 <= seen.width and face.box.y1 <= seen.height for seen in found for face in seen.faces)
