"""`emotion-edge annotate`: write a clip again with boxes, points, labels and scores drawn over it.

This command and the page (`web.page`) are the only two parts of the program that write or show pictures, and only when
somebody asks. The new clip shows the people that the old one shows: treat it as you treat that one.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_runtime.cli.options import Verbs, add_nets, chain_overrides, configured, refuse_same_file, summary
from edge_runtime.cli.run import count, forbid_core_dumps
from edge_runtime.errors import SourceError, UsageError
from edge_runtime.settings import Config

if TYPE_CHECKING:
    from edge_runtime.datatypes import Frame

LEAST_HEIGHT_PX: Final = 480
"""Smaller pictures are enlarged, so that the words over them can be read."""

_SLOWEST_FPS, _FASTEST_FPS, _USUAL_FPS = 5.0, 60.0, 25.0


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "annotate", help="draw what is seen over a clip; this writes pictures", description=summary(__doc__)
    )
    parser.add_argument("clip", metavar="CLIP", help="video file, picture, folder of pictures, or demo")
    parser.add_argument("out", type=Path, metavar="OUT.mp4", help="the new clip; an older one is replaced")
    add_nets(parser)
    parser.add_argument("--max-frames", type=count, metavar="N", help="end after N frames")
    parser.set_defaults(main=main, source=None)


def main(arguments: argparse.Namespace) -> int:
    """Read a clip to its end and write it again."""
    logger = logging.getLogger(__name__)
    config = configured(arguments, {**chain_overrides(arguments), "source.uri": arguments.clip})
    forbid_core_dumps()
    if arguments.out.suffix.lower() != ".mp4":
        raise UsageError(f"{arguments.out}: expected a name that ends in .mp4")
    refuse_same_file(arguments.clip, arguments.out)
    logger.warning("%s will show the people that %s shows; keep it as carefully", arguments.out, arguments.clip)
    frames = annotate(config, arguments.out, max_frames=arguments.max_frames)
    logger.info("%s: %d frames", arguments.out, frames)
    return 0


def annotate(config: Config, out: Path, *, max_frames: int | None = None) -> int:
    """Run the chain of a configuration over a source that ends, and write what it saw.

    Returns:
        Number of frames of the source.

    Raises:
        UsageError: the source is a camera.
        SourceError: the source holds no frame.
    """
    # Imported here: --help must not load OpenCV.
    from edge_runtime.clip_writer import ClipWriter
    from edge_runtime.overlay import annotated
    from edge_runtime.wiring import Pipeline, open_source

    source = open_source(config.source)
    if source.live:
        raise UsageError(f"{source.name}: annotate needs a source that ends: a video file, pictures, or demo")
    frames = 0
    with Pipeline.from_config(config) as pipeline, source:
        first, fps, every = _begun(itertools.islice(source.frames(), max_frames), source.name)
        factor = max(1, math.ceil(LEAST_HEIGHT_PX / first.height))
        with ClipWriter(out, fps=fps, width=first.width * factor, height=first.height * factor) as clip:
            for frame in every:
                enlarged = max(1, math.ceil(LEAST_HEIGHT_PX / frame.height))
                clip.write(annotated(frame.pixels, pipeline.process(frame), enlarged), frame.captured_at)
                frames += 1
    return frames


def _begun(frames: Iterator[Frame], name: str) -> tuple[Frame, float, Iterator[Frame]]:
    """Take two frames to learn size and rate; returns the first, the rate, and all frames."""
    head = list(itertools.islice(frames, 2))
    if not head:
        raise SourceError(f"{name}: holds no frame")
    step_s = head[1].captured_at - head[0].captured_at if len(head) > 1 else 0.0
    fps = min(max(1.0 / step_s, _SLOWEST_FPS), _FASTEST_FPS) if step_s > 0.0 else _USUAL_FPS
    return head[0], fps, itertools.chain(head, frames)
