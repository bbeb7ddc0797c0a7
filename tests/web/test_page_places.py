"""Where the page draws what it is told, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium is missing: pip install -e '.[test]'")

from tests.web import chromium
from tests.web.conftest import Running

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium.missing() is not None, reason=str(chromium.missing())),
]

PLACES = """const [mirror, done] = arguments;
    import("/overlay.js").then(({ Overlay }) => {
      const canvas = document.createElement("canvas");
      canvas.style = "position: fixed; width: 400px; height: 200px";
      document.body.append(canvas);
      const overlay = new Overlay(canvas), told = {};
      overlay.configure({ keypoints: [], mirror, picture: true });
      overlay.drawBox = (box) => { told.box = [box.left, box.top, box.right, box.bottom]; };
      overlay.drawPoints = (points) => { told.points = points; };
      overlay.drawTag = () => {};
      overlay.draw({ width: 100, height: 50, faces: [{ label: "sad", points: [[10, 5]], box: [10, 5, 20, 25] }] });
      canvas.remove();
      done(told);
    })"""
"""Draw one face of a frame of 100 x 50 on a canvas of 400 x 200, and tell what was drawn where."""


def test_points_lie_in_the_middle_of_their_pixels_and_boxes_along_edges(
    serve: Callable[..., Running], tmp_path: Path
) -> None:
    with chromium.browser(tmp_path / "profile") as driver:
        driver.get(f"http://127.0.0.1:{serve().port}/")

        plain, mirrored = (driver.execute_async_script(PLACES, mirror) for mirror in (False, True))

    # Four screen pixels a frame pixel: pixel 10 reaches from 40 to 44.
    assert plain == {"points": [[42, 22]], "box": [40, 20, 80, 100]}
    assert mirrored == {"points": [[358, 22]], "box": [320, 20, 360, 100]}
