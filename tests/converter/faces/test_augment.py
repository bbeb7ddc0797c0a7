from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from converter.faces.augment import Composer, cut, mirrored
from converter.faces.batches import FaceBatches
from converter.faces.data import DetectionData, Scene, size_of
from converter.recipe import Augment, Detection, Model, Recipe, Stage, Training

BRIGHT, DARK = 250, 20
PLAIN = Augment(brightness=0.0, contrast=0.0, gamma=0.0, blur=0.0, noise=0.0, erase=0.0)


def recipe(
    *,
    mosaic: float = 0.4,
    natural: float = 0.5,
    no_face: float = 0.2,
    min_face_px: float = 8.0,
    cutout: float = 0.0,
    **others: Any,  # noqa: ANN401  further keys of the section
) -> Recipe:
    detection = Detection(
        crop_px=128,
        jpeg=0.0,
        mosaic=mosaic,
        natural=natural,
        no_face=no_face,
        min_face_px=min_face_px,
        cutout=cutout,
        **others,
    )
    return Recipe(
        kind="faces",
        name="tiny",
        model=Model(stages=(Stage(filters=8, blocks=1),) * 4, head="pyramid"),
        training=Training(epochs=1, batch_size=2),
        augment=PLAIN,
        detection=detection,
    )


def scene_with_face(side: int = 160) -> Scene:
    """Draw a bright rectangle, the face, on a dark ground."""
    pixels = np.full((side, side), DARK, np.uint8)
    pixels[60:100, 50:82] = BRIGHT
    return Scene(pixels, np.array([[50, 60, 82, 100]], np.float32), np.array([False]))


def data(count: int = 4) -> DetectionData:
    ground = Scene(np.full((120, 200), DARK, np.uint8), np.empty((0, 4), np.float32), np.empty(0, bool))
    return DetectionData((*[scene_with_face() for _ in range(count)], ground), np.array(list("abcdefgh"[: count + 1])))


@pytest.mark.parametrize(("mosaic", "natural"), [(0.0, 0.0), (0.0, 1.0), (1.0, 0.5)])
def test_boxes_stay_on_their_faces(mosaic: float, natural: float) -> None:
    composer = Composer(data(), recipe(mosaic=mosaic, natural=natural, no_face=0.0))
    checked = 0

    for seed in range(30):
        drawn = composer.compose(scene_with_face(), np.random.default_rng(seed))
        for box in drawn.boxes[size_of(drawn.boxes) > 14]:
            x0, y0, x1, y1 = np.round(box).astype(int)
            inner = drawn.pixels[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3]
            assert inner.mean() > 0.9 * BRIGHT
            checked += 1

    assert checked > 15


def test_faces_fall_everywhere_and_have_every_size() -> None:
    composer = Composer(data(), recipe(mosaic=0.0, natural=0.0, no_face=0.0))

    boxes = np.concatenate([composer.compose(scene_with_face(), np.random.default_rng(i)).boxes for i in range(200)])

    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert (middles.min(axis=0) < 25).all()
    assert (middles.max(axis=0) > 103).all()
    assert size_of(boxes).min() < 11
    assert size_of(boxes).max() > 80


def cutout(side: int = 48) -> Scene:
    """Draw a face that nearly fills its picture."""
    pixels = np.full((side, side), DARK, np.uint8)
    pixels[4:44, 8:40] = BRIGHT
    return Scene(pixels, np.array([[8, 4, 40, 44]], np.float32), np.array([False]), cutout=True)


def with_cutouts(share: float) -> Composer:
    """Have one scene with a face that is not bright, one without faces, and a bright cut-out face."""
    scene = scene_with_face()
    plain = Scene(np.full_like(scene.pixels, DARK), scene.boxes, scene.ignored)
    ground = Scene(np.full((120, 200), DARK, np.uint8), np.empty((0, 4), np.float32), np.empty(0, bool))
    asked = recipe(mosaic=0.0, natural=0.0, no_face=0.0, cutout=share)
    return Composer(DetectionData((plain, ground, cutout()), np.array(["a", "b", "c"])), asked)


def test_a_cut_out_face_is_laid_into_another_picture_with_its_box() -> None:
    composer = with_cutouts(1.0)
    checked = 0

    for seed in range(60):
        drawn = composer.compose(composer.with_faces[0], np.random.default_rng(seed))
        for box in drawn.boxes[(size_of(drawn.boxes) > 20) & ~drawn.ignored]:
            x0, y0, x1, y1 = box
            w, h = (x1 - x0) / 4, (y1 - y0) / 4  # the middle half: the box stays upright when the face is turned
            inner = drawn.pixels[int(y0 + h) : int(y1 - h), int(x0 + w) : int(x1 - w)]
            assert inner.mean() > 0.9 * BRIGHT
            checked += 1

    assert checked > 20


def test_a_cut_out_face_is_no_scene_of_its_own() -> None:
    composer = with_cutouts(0.0)

    drawn = [composer.compose(composer.with_faces[0], np.random.default_rng(seed)) for seed in range(9)]

    assert len(composer.with_faces) == 1
    for scene in drawn:
        for x0, y0, x1, y1 in scene.boxes.astype(int).tolist():
            assert (scene.pixels[y0:y1, x0:x1] == DARK).all()


def test_too_small_faces_are_ignored() -> None:
    composer = Composer(data(), recipe(mosaic=1.0, natural=1.0, no_face=0.0, min_face_px=30.0))

    drawn = composer.compose(scene_with_face(), np.random.default_rng(3))

    assert (drawn.ignored == (size_of(drawn.boxes) < 30) | drawn.ignored).all()
    assert drawn.ignored[size_of(drawn.boxes) < 30].all()


def test_a_face_cut_by_the_border_is_ignored_or_forgotten() -> None:
    boxes = np.array([[-5, 0, 15, 10], [-12, 0, 8, 10], [-19, 0, 1, 10]], np.float32)

    found = cut(Scene(np.zeros((20, 20), np.uint8), boxes, np.zeros(3, bool)))

    # 75 % inside: kept; 40 %: ignored; 5 %: no box.
    assert found.boxes.tolist() == [[0, 0, 15, 10], [0, 0, 8, 10]]
    assert found.ignored.tolist() == [False, True]


def test_a_mirror_moves_the_box_with_the_face() -> None:
    scene = scene_with_face()

    found = mirrored(scene)

    x0, y0, x1, y1 = found.boxes[0].astype(int)
    assert (found.pixels[y0:y1, x0:x1] == BRIGHT).all()
    assert found.boxes[0].tolist() == [78, 60, 110, 100]


@pytest.mark.parametrize("most_rolled_deg", [30.0, 90.0])
def test_boxes_stay_about_their_faces_when_a_scene_is_rolled(most_rolled_deg: float) -> None:
    asked = recipe(mosaic=0.0, natural=0.0, no_face=0.0, rolled=1.0, most_rolled_deg=most_rolled_deg)
    composer = Composer(data(), asked)
    checked = 0

    for seed in range(60):
        drawn = composer.compose(scene_with_face(), np.random.default_rng(seed))
        for x0, y0, x1, y1 in drawn.boxes[(size_of(drawn.boxes) > 20) & ~drawn.ignored].tolist():
            middle_x, middle_y, reach = (x0 + x1) / 2, (y0 + y1) / 2, min(x1 - x0, y1 - y0) / 4
            inner = drawn.pixels[
                int(middle_y - reach) : int(middle_y + reach), int(middle_x - reach) : int(middle_x + reach)
            ]
            cut_off = min(x0, y0, 128 - x1, 128 - y1) <= 0
            assert cut_off or inner.mean() > 0.9 * BRIGHT
            checked += not cut_off

    assert checked > 20


def test_faces_in_an_unusual_pose_are_drawn_more_often_when_asked() -> None:
    usual = scene_with_face()
    dim = np.where(usual.pixels == BRIGHT, 150, usual.pixels).astype(np.uint8)
    turned = Scene(dim, usual.boxes, usual.ignored, turned=np.array([True]))
    scenes = DetectionData((*[scene_with_face() for _ in range(9)], turned), np.array(list("abcdefghij")))

    drawn = [
        Composer(scenes, recipe(mosaic=1.0, natural=0.0, no_face=0.0, turned=share)).compose(
            scenes.scenes[0], np.random.default_rng(seed)
        )
        for share in (0.0, 0.9)
        for seed in range(20)
    ]

    areas = [int(np.isin(scene.pixels, range(140, 160)).sum()) for scene in drawn]
    assert sum(areas[20:]) > 3 * sum(areas[:20])


def test_pictures_that_fool_a_net_are_drawn_more_often_when_asked() -> None:
    grounds = [
        Scene(np.full((90, 90), grey, np.uint8), np.empty((0, 4), np.float32), np.empty(0, bool)) for grey in (60, 120)
    ]
    scenes = DetectionData((scene_with_face(), *grounds), np.array(["a", "b", "c"]))
    fooled = np.array([0.1, 0.7], np.float32)
    asked = recipe(mosaic=0.0, no_face=1.0, hard_no_face=1.0)

    greys = [
        Composer(scenes, asked, fooled).compose(scenes.scenes[0], np.random.default_rng(seed)).pixels.mean()
        for seed in range(40)
    ]

    assert sum(grey == 120 for grey in greys) > 35


def test_a_ground_may_lie_out_of_focus() -> None:
    fine = np.random.default_rng(0).integers(0, 256, (128, 128)).astype(np.uint8)
    ground = Scene(fine, np.empty((0, 4), np.float32), np.empty(0, bool))
    scenes = DetectionData((scene_with_face(), ground), np.array(["a", "b"]))

    sharp, soft = (
        Composer(scenes, recipe(mosaic=0.0, no_face=1.0, soft_ground=share)).compose(
            scenes.scenes[0], np.random.default_rng(4)
        )
        for share in (0.0, 1.0)
    )

    assert soft.pixels.std() < 0.5 * sharp.pixels.std()
    assert not len(soft.boxes)


def test_a_batch_is_the_same_whenever_it_is_asked_for() -> None:
    batches = FaceBatches(data(), recipe())

    first, again = (list(batches.epoch(3)) for _ in range(2))

    assert len(first) == batches.per_epoch == 2
    for (pictures, targets), (pictures_again, targets_again) in zip(first, again, strict=True):
        assert pictures.shape == (2, *batches.picture_shape)
        assert targets.shape == (2, *batches.target_shape)
        assert np.array_equal(pictures, pictures_again)
        assert np.array_equal(targets, targets_again)
