"""Video files: every frame at its own time, and clear words about files that are none."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.errors import SourceError
from edge_runtime.sources.video import VideoFile
from tests.sources.pictures import brightness, ramps, write_video


def test_every_frame_comes_at_its_own_time_as_grey(tmp_path: Path) -> None:
    written = ramps(8)
    path = write_video(tmp_path / "clip.avi", written, fps=20.0)

    with VideoFile(path) as source:
        frames = list(source.frames())

    assert [brightness(frame.pixels) for frame in frames] == list(range(8))
    assert [frame.captured_at for frame in frames] == pytest.approx([i / 20.0 for i in range(8)])
    # JPEG at quality 95 and the way through colour and back cost a grey level or two.
    assert (
        max(np.abs(frame.pixels.astype(int) - picture).max() for frame, picture in zip(frames, written, strict=True))
        < 5
    )


def test_a_missing_file_is_named_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "none.mp4"

    with pytest.raises(SourceError, match=r"none\.mp4: cannot read the video \(No such file.*check the path"):
        VideoFile(path).__enter__()


def test_a_file_that_is_no_video_says_so(tmp_path: Path) -> None:
    path = tmp_path / "junk.mp4"
    path.write_bytes(b"no video at all" * 100)

    with pytest.raises(SourceError, match=r"junk\.mp4: not a video that FFmpeg can read; .*ffprobe"):
        VideoFile(path).__enter__()


def test_a_cut_off_video_gives_what_is_there_and_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_video(tmp_path / "clip.avi", ramps(20))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with caplog.at_level(logging.WARNING), VideoFile(path) as source:
        frames = list(source.frames())

    assert 0 < len(frames) < 20
    assert f"{len(frames)} frames, its header says 20" in caplog.text


@pytest.mark.media
def test_every_clip_gives_its_number_of_frames_and_its_size(media_dir: Path) -> None:
    clips = json.loads((media_dir / "clips.json").read_text(encoding="utf-8"))

    found, expected = {}, {}
    for clip in clips:
        with VideoFile(media_dir / clip["file"]) as source:
            frames = [(frame.width, frame.height, frame.captured_at) for frame in source.frames()]
        found[clip["file"]] = (len(frames), {frame[:2] for frame in frames})
        expected[clip["file"]] = (clip["frames"], {(clip["width"], clip["height"])})
        assert frames[-1][2] == pytest.approx(clip["seconds"], abs=0.15), clip["file"]

    assert found == expected
