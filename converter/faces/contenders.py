"""Names on the command line -> detectors: a bundle of ours, `haar`, or `yunet:PATH`."""

from __future__ import annotations

from pathlib import Path

from edge_runtime.bundle import load_bundle
from edge_runtime.interfaces import Detector
from edge_runtime.interpreter import open_interpreter

_SMALLEST_PX = 20
_YUNET = "yunet:"


def is_foreign(name: str) -> bool:
    """Whether a name is no bundle."""
    return name == "haar" or name.startswith(_YUNET)


def open_contender(name: str, *, search_width_px: int, min_score: float | None = None, threads: int = 1) -> Detector:
    """Open a detector to be judged.

    Args:
        name: `haar`, `yunet:PATH`, or the path of a faces bundle.
        search_width_px: width to which haar and yunet shrink frames; a bundle has its own.
        min_score: of yunet or a bundle; None = 0.6 for yunet, the bundle's own for a bundle.
        threads: of the interpreter.
    """
    if name == "haar":
        from edge_runtime.detectors.haar import HaarDetector

        return HaarDetector(min_face_px=_SMALLEST_PX, search_width_px=search_width_px)
    if name.startswith(_YUNET):
        from edge_runtime.detectors.yunet import YunetDetector

        model = Path(name.removeprefix(_YUNET))
        return YunetDetector(model, min_score=min_score, min_face_px=0, search_width_px=search_width_px)
    from edge_runtime.detectors.faces import FacesDetector

    bundle = load_bundle(Path(name), kind="faces")
    return FacesDetector(bundle, open_interpreter(bundle.model, threads=threads), min_score=min_score)
