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
