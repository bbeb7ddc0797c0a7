"""Puts training pictures together: faces of every size at every place, on grounds of every kind."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from converter.augment import light
from converter.faces.data import Boxes, DetectionData, Picture, Scene, size_of
from converter.faces.roll import lay_rolled
from converter.recipe import Recipe

_MOST_SHRUNK = 0.1
_LEAST_INSIDE, _LEAST_MENTIONED = 0.6, 0.1
_SQUEEZE = 0.12
_NATURAL = (-0.4, 0.6)
"""Logarithm of a scene's size against the size that just covers its part."""

_DECOY = 0.5
_DECOY_SIDE_PX = 24

_WORST_JPEG, _BEST_JPEG = 25, 90

_HARDEST = 4
"""Power of the score that a picture without faces is drawn by. Nearly all show some find; half of the draws shall be of
the tenth of them that show one of 0.5 and more."""

_SOFTEST = 24.0
"""A ground far out of focus is shrunk by up to this factor, and enlarged again."""


class Composer:
    """Draws training pictures from scenes with faces and scenes without."""

    def __init__(self, data: DetectionData, recipe: Recipe, fooled: NDArray[np.float32] | None = None) -> None:
        """Part the data; `fooled`: how much each picture without faces fools the net that the training starts from."""
        mask, cutout = data.has_faces, data.is_cutout
        self._recipe, self._detection = recipe, recipe.detection
        self.with_faces = data.take(mask & ~cutout).scenes
        self._with_turned = tuple(scene for scene in self.with_faces if _turned_faces(scene).any())
        self._without = data.take(~mask).scenes
        self._draw_hard = None if fooled is None else _chances(fooled)
        cutouts = data.take(cutout).scenes if self._detection.cutout > 0 else ()
        self._cutouts = tuple(scene for scene in cutouts if not scene.ignored.all())

    def compose(self, scene: Scene, rng: np.random.Generator) -> Scene:
        """Draw one square picture: a scene alone or with three others, lit, blurred and compressed."""
        side = self._detection.crop_px
        if rng.random() < self._detection.mosaic:
            drawn = self._mosaic(scene, side, rng)
        else:
            drawn = self._part(scene, (side, side), rng)
        if rng.random() < 0.5:
            drawn = mirrored(drawn)
        pixels = self._compressed(light(drawn.pixels, self._recipe.augment, rng), rng)
        too_small = size_of(drawn.boxes) < self._detection.min_face_px
        return Scene(pixels, drawn.boxes, drawn.ignored | too_small)

    def _mosaic(self, scene: Scene, side: int, rng: np.random.Generator) -> Scene:
        x, y = (int(value) for value in rng.integers(side // 4, 3 * side // 4, 2))
        pixels = np.empty((side, side), np.uint8)
        boxes, ignored = [], []
        corners = ((0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side))
        for index, (x0, y0, x1, y1) in enumerate(corners):
            part = self._part(scene if index == 0 else None, (y1 - y0, x1 - x0), rng)
            pixels[y0:y1, x0:x1] = part.pixels
            boxes.append(part.boxes + np.array([x0, y0, x0, y0], np.float32))
            ignored.append(part.ignored)
        return Scene(pixels, np.concatenate(boxes), np.concatenate(ignored))

    def _part(self, scene: Scene | None, size: tuple[int, int], rng: np.random.Generator) -> Scene:
        """Draw (height, width) pixels of a scene (None = any), or of one without faces."""
        if self._without and rng.random() < self._detection.no_face:
            return self._decoyed(self._ground(size, rng), rng)
        if self._cutouts and rng.random() < self._detection.cutout:
            return self._cutout(size, rng)
        scene, usable = self._looked_at(scene, rng)
        chosen = scene.boxes[rng.choice(usable)] if len(usable) else scene_middle(scene)
        if len(usable) == 0 or rng.random() < self._detection.natural:
            factor = math.exp(rng.uniform(*_NATURAL)) * _covering(scene.pixels, size)
        else:
            factor = self._face_size(min(size), rng) / max(float(size_of(chosen[np.newaxis])[0]), 1.0)
        factor = min(max(factor, _MOST_SHRUNK), self._detection.most_enlarged)
        squeeze = math.exp(rng.uniform(-_SQUEEZE, _SQUEEZE))
        return self._window(scene, (factor * squeeze, factor / squeeze), chosen, size, rng)

    def _looked_at(self, scene: Scene | None, rng: np.random.Generator) -> tuple[Scene, NDArray[np.int64]]:
        """Choose a scene where none is given, and the rows of its faces of which one is looked at."""
        if scene is None and self._with_turned and rng.random() < self._detection.turned:
            scene = self._with_turned[int(rng.integers(len(self._with_turned)))]
            return scene, np.flatnonzero(_turned_faces(scene))
        if scene is None:
            scene = self.with_faces[int(rng.integers(len(self.with_faces)))]
        return scene, np.flatnonzero(~scene.ignored)

    def _face_size(self, room: int, rng: np.random.Generator) -> float:
        """Draw a size, all octaves alike, from the smallest to what there is room for."""
        low, high = self._detection.min_face_px, min(self._detection.max_face_px, 0.9 * room)
        return math.exp(rng.uniform(math.log(low), math.log(max(high, low + 1))))

    def _cutout(self, size: tuple[int, int], rng: np.random.Generator) -> Scene:
        """Lay a cut-out face on a ground."""
        scene = self._cutouts[int(rng.integers(len(self._cutouts)))]
        wanted = self._face_size(min(size), rng) / max(float(size_of(scene.boxes)[0]), 1.0)
        ground = self._decoyed(self._ground(size, rng), rng)
        boxes = self._lay(ground.pixels, scene, min(wanted, self._detection.most_enlarged), rng)
        return cut(Scene(ground.pixels, boxes, np.array([False])))

    def _decoyed(self, ground: Scene, rng: np.random.Generator) -> Scene:
        """Lay a square without a face on a ground, so that a seam alone tells nothing; only where faces have seams."""
        if not (self._cutouts and self._without and rng.random() < _DECOY):
            return ground
        other = self._any_without(rng).pixels
        side = int(rng.integers(_DECOY_SIDE_PX, min(other.shape) + 1)) if min(other.shape) > _DECOY_SIDE_PX else 1
        left, top = (int(rng.integers(0, room - side + 1)) for room in (other.shape[1], other.shape[0]))
        patch = _without_faces(other[top : top + side, left : left + side])
        room = min(ground.pixels.shape)
        self._lay(ground.pixels, patch, self._face_size(room, rng) / side, rng)
        return ground

    def _lay(self, pixels: Picture, scene: Scene, factor: float, rng: np.random.Generator) -> Boxes:
        """Lay a resized and rolled scene into a picture, its middle anywhere in it; return its boxes there."""
        height, width = scene.pixels.shape
        patch = resized(scene.pixels, (max(round(width * factor), 1), max(round(height * factor), 1)))
        angle = math.radians(rng.uniform(-self._detection.roll_deg, self._detection.roll_deg))
        target = np.array([rng.uniform(0, pixels.shape[1]), rng.uniform(0, pixels.shape[0])])
        sides = np.array([patch.shape[1], patch.shape[0]])
        boxes = scene.boxes * np.tile(sides / (width, height), 2)
        return lay_rolled(pixels, patch, boxes, angle, (sides / 2, target))

    def _ground(self, size: tuple[int, int], rng: np.random.Generator) -> Scene:
        """Fill a part with a piece of a picture without faces."""
        if not self._without:
            return _without_faces(np.full(size, int(rng.integers(256)), np.uint8))
        scene = self._any_without(rng)
        height, width = scene.pixels.shape
        factor = _covering(scene.pixels, size) * math.exp(rng.uniform(0.0, 0.8))
        shape = (max(size[1], round(width * factor)), max(size[0], round(height * factor)))
        large = resized(scene.pixels, shape)
        left, top = rng.integers(0, shape[0] - size[1] + 1), rng.integers(0, shape[1] - size[0] + 1)
        pixels = large[top : top + size[0], left : left + size[1]]
        if self._detection.soft_ground > 0 and rng.random() < self._detection.soft_ground:
            return _without_faces(_out_of_focus(pixels, rng))
        return _without_faces(pixels.copy())

    def _any_without(self, rng: np.random.Generator) -> Scene:
        if self._draw_hard is not None and rng.random() < self._detection.hard_no_face:
            return self._without[int(rng.choice(len(self._without), p=self._draw_hard))]
        return self._without[int(rng.integers(len(self._without)))]

    def _window(
        self, scene: Scene, factors: tuple[float, float], face: Boxes, size: tuple[int, int], rng: np.random.Generator
    ) -> Scene:
        """Resize a scene and move a face of it to any place of the window; what the scene leaves free is ground."""
        height, width = scene.pixels.shape
        shape = (max(round(width * factors[0]), 1), max(round(height * factors[1]), 1))
        scale = np.array([shape[0] / width, shape[1] / height] * 2, np.float32)
        left, top = (
            _offset(face[axis] * scale[axis], face[axis + 2] * scale[axis], size[1 - axis], rng) for axis in (0, 1)
        )
        large = resized(scene.pixels, shape)
        if self._detection.rolled > 0 and rng.random() < self._detection.rolled:
            middle = (face[:2] + face[2:]) / 2 * scale[:2]
            angle = math.radians(rng.uniform(-1.0, 1.0) * self._detection.most_rolled_deg)
            pixels = self._border(size, rng)
            boxes = lay_rolled(pixels, large, scene.boxes * scale, angle, (middle, middle + np.array([left, top])))
            return cut(Scene(pixels, boxes, scene.ignored))
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + shape[0], size[1]), min(top + shape[1], size[0])
        covered = x0 == 0 and y0 == 0 and x1 == size[1] and y1 == size[0]
        pixels = np.empty(size, np.uint8) if covered else self._border(size, rng)
        pixels[y0:y1, x0:x1] = large[y0 - top : y1 - top, x0 - left : x1 - left]
        moved = scene.boxes * scale + np.array([left, top, left, top], np.float32)
        return cut(Scene(pixels, moved, scene.ignored))

    def _border(self, size: tuple[int, int], rng: np.random.Generator) -> Picture:
        if rng.random() < 0.6:
            return self._ground(size, rng).pixels
        return np.full(size, int(rng.integers(256)), np.uint8)

    def _compressed(self, pixels: Picture, rng: np.random.Generator) -> Picture:
        if rng.random() >= self._detection.jpeg:
            return pixels
        quality = int(rng.integers(_WORST_JPEG, _BEST_JPEG))
        _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), np.uint8)


def _turned_faces(scene: Scene) -> NDArray[np.bool_]:
    return np.zeros(len(scene.ignored), bool) if scene.turned is None else scene.turned & ~scene.ignored


def _chances(fooled: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Chances that sum to 1; None where nothing fools."""
    weights = fooled.astype(np.float64) ** _HARDEST
    return weights / weights.sum() if weights.sum() > 0 else None


def _out_of_focus(pixels: Picture, rng: np.random.Generator) -> Picture:
    height, width = pixels.shape
    factor = math.exp(rng.uniform(math.log(2.0), math.log(_SOFTEST)))
    small = cv2.resize(pixels, (math.ceil(width / factor), math.ceil(height / factor)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def _without_faces(pixels: Picture) -> Scene:
    return Scene(pixels, np.empty((0, 4), np.float32), np.empty(0, bool))


def _covering(pixels: Picture, size: tuple[int, int]) -> float:
    """Scale at which a picture just covers (height, width)."""
    height, width = pixels.shape
    return float(max(size[0] / height, size[1] / width))


def scene_middle(scene: Scene) -> Boxes:
    """Box of no size in the middle of a scene."""
    height, width = scene.pixels.shape
    return np.array([width / 2, height / 2, width / 2, height / 2], np.float32)


def _offset(low: float, high: float, room: int, rng: np.random.Generator) -> int:
    """Where the scene's edge must lie so that the face from `low` to `high` falls anywhere inside the room."""
    first, last = -low, room - high
    return round(float(rng.uniform(min(first, last), max(first, last))))


def resized(pixels: Picture, shape: tuple[int, int]) -> Picture:
    """Bring a picture to (width, height) without doubling pixels or stepping over them."""
    shrinks = shape[0] < pixels.shape[1]
    return np.asarray(
        cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8
    )


def cut(scene: Scene) -> Scene:
    """Cut boxes at the border; a face of which too little is inside is ignored or forgotten."""
    height, width = scene.pixels.shape
    inside = np.clip(scene.boxes, 0, np.array([width, height, width, height], np.float32))
    share = (size_of(inside) / np.maximum(size_of(scene.boxes), 1e-3)) ** 2
    kept = share > _LEAST_MENTIONED
    return Scene(scene.pixels, inside[kept], (scene.ignored | (share < _LEAST_INSIDE))[kept])


def mirrored(scene: Scene) -> Scene:
    """Flip left and right."""
    width = scene.pixels.shape[1]
    boxes = scene.boxes.copy()
    boxes[:, [0, 2]] = width - scene.boxes[:, [2, 0]]
    return Scene(np.ascontiguousarray(scene.pixels[:, ::-1]), boxes, scene.ignored)
