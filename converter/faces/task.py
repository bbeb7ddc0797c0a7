"""What the trainer needs to know about the faces net."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from converter.batches import Batches
from converter.faces.batches import FaceBatches
from converter.faces.data import DetectionData
from converter.faces.net import build
from converter.faces.scoring import score_faces
from converter.recipe import Recipe
from converter.scoring import Scores


@dataclass(frozen=True, eq=False)
class FacesTask:
    """Scenes to train on and scenes to choose by."""

    recipe: Recipe
    training: DetectionData
    validation: DetectionData
    training_rows: list[int]
    validation_rows: list[int]
    fooled: NDArray[np.float32] | None = None
    """(pictures without faces,) how much each fools the net that the training starts from; None = not asked."""

    def net(self) -> keras.Model:
        """Build the untrained net."""
        return build(self.recipe.model)

    def batches(self) -> Batches:
        """Draw from the training part."""
        return FaceBatches(self.training, self.recipe, self.fooled)

    def score(self, net: keras.Model) -> Scores:
        """Judge on the validation part."""
        return score_faces(net, self.validation, self.recipe.detection)
