"""`emotion-edge annotate` writes a clip that lasts as long as what it shows, and says what it does."""

from __future__ import annotations

import logging
import stat
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.__main__ import main
from edge_runtime.clip_writer import ClipWriter
from edge_runtime.errors import SinkError


def facts(path: Path) -> tuple[int, float, tuple[int, int]]:
    """Frames, frames per second, width and height of a clip."""
    clip = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = 0
    while clip.grab():
        frames += 1
    size = (int(clip.get(cv2.CAP_PROP_FRAME_WIDTH)), int(clip.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    return frames, clip.get(cv2.CAP_PROP_FPS), size


def test_the_demo_becomes_a_clip_of_its_length_that_its_owner_alone_can_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "demo.mp4"

    with caplog.at_level(logging.WARNING):
        code = main(["annotate", "demo", str(out), "--max-frames", "30"])

    assert code == 0
    assert facts(out) == (30, 25.0, (640, 480))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "will show the people" in caplog.text


def test_a_clip_can_be_read_again_and_annotated_again(tmp_path: Path) -> None:
    first, second = tmp_path / "a.mp4", tmp_path / "b.mp4"

    codes = [
        main(["annotate", "demo", str(first), "--max-frames", "12"]),
        main(["annotate", str(first), str(second)]),
    ]

    assert codes == [0, 0]
    assert facts(second) == facts(first)


def test_pictures_of_different_sizes_fit_into_one_clip(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, size in {"a": (241, 321), "b": (480, 640), "c": (600, 200)}.items():
        cv2.imwrite(str(folder / f"{name}.png"), np.full(size, 128, np.uint8))

    code = main(["annotate", str(folder), str(tmp_path / "out.mp4")])

    assert code == 0
    assert facts(tmp_path / "out.mp4") == (3, 30.0, (642, 482))


def test_one_picture_becomes_a_clip_of_one_frame(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((480, 640), 128, np.uint8))

    code = main(["annotate", str(tmp_path / "a.png"), str(tmp_path / "out.mp4")])

    assert code == 0
    assert facts(tmp_path / "out.mp4")[0] == 1


def test_a_clip_that_did_not_fit_on_the_disk_is_a_failure(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)); "
        "from edge_runtime.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, "annotate", "demo", str(out), "--max-frames", "30"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"emotion-edge: {out}: the clip is not whole and cannot be played; is there room on the disk?"
    )


@pytest.mark.parametrize(
    ("clip", "out", "message"),
    [
        ("camera:0", "out.mp4", "needs a source that ends"),
        ("demo", "out.avi", "expected a name that ends in .mp4"),
        ("same.mp4", "same.mp4", "is the clip itself"),
    ],
)
def test_what_cannot_be_annotated_is_wrong_usage(
    clip: str,
    out: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("same.mp4").write_bytes(b"")

    code = main(["annotate", clip, out])

    assert code == 2
    assert message in capsys.readouterr().err


def test_times_of_the_source_are_kept(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)

    with ClipWriter(tmp_path / "out.mp4", fps=10.0, width=64, height=48) as clip:
        for at in (0.0, 0.1, 0.5, 0.52, 60.0):
            clip.write(picture, at)

    # 0.5 s is the sixth frame; 0.52 s comes too early for one of its own; a minute of nothing becomes five seconds.
    assert facts(tmp_path / "out.mp4")[0] == 6 + 50


def test_a_picture_is_shown_from_its_own_second_on_and_stays_until_the_next(tmp_path: Path) -> None:
    with ClipWriter(tmp_path / "out.mp4", fps=5.0, width=64, height=48) as clip:
        for at in (0, 1, 2):
            clip.write(np.full((48, 64, 3), 40 + 60 * at, np.uint8), float(at))

    film = cv2.VideoCapture(str(tmp_path / "out.mp4"), cv2.CAP_FFMPEG)
    shown = [round((film.read()[1].mean() - 40) / 60) for _ in range(11)]
    assert shown == [0] * 5 + [1] * 5 + [2]


def test_a_clip_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(SinkError, match="cannot write the clip"),
        ClipWriter(tmp_path / "no" / "out.mp4", fps=25.0, width=64, height=48),
    ):
        pass
