"""Training batches of the faces net, the same whenever a batch of an epoch is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from converter.batches import Batch
from converter.faces.augment import Composer
from converter.faces.data import DetectionData, Scene
from converter.faces.targets import COLUMNS, cell_count, cell_targets
from converter.recipe import Recipe

_ORDER_STREAM, _PICTURE_STREAM = 0, 1


class FaceBatches:
    """Every scene with faces once an epoch, put together with others and with scenes without faces."""

    def __init__(self, data: DetectionData, recipe: Recipe, fooled: NDArray[np.float32] | None = None) -> None:
        """Keep the scenes; nothing is copied. `fooled`: see Composer."""
        self._recipe = recipe
        self._composer = Composer(data, recipe, fooled)
        self._side = recipe.detection.crop_px
        self.per_epoch = max(len(self._composer.with_faces) // recipe.training.batch_size, 1)
        self.picture_shape = (self._side, self._side, 1)
        self.target_shape: tuple[int, ...] = (cell_count(self._side), COLUMNS)

    def epoch(self, epoch: int, first: int = 0, every: int = 1) -> Iterator[Batch]:
        """Yield (B, side, side, 1) pictures and (B, cells, 5) targets."""
        size, scenes = self._recipe.training.batch_size, self._composer.with_faces
        order = np.random.default_rng([self._recipe.seed, _ORDER_STREAM, epoch]).permutation(len(scenes))
        for index in range(first, self.per_epoch, every):
            rng = np.random.default_rng([self._recipe.seed, _PICTURE_STREAM, epoch, index])
            drawn = [self._composer.compose(scenes[row], rng) for row in order[index * size : (index + 1) * size]]
            pictures = np.stack([scene.pixels for scene in drawn])[..., np.newaxis]
            yield pictures, np.stack([self._targets(scene) for scene in drawn])

    def _targets(self, scene: Scene) -> NDArray[np.float32]:
        return cell_targets(scene.boxes, scene.ignored, self._side, self._recipe.detection)
