"""Which pictures without faces fool the net that a training starts from: those are worth more of its time."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np

from converter.faces.scoring import finds_of
from converter.faces.task import FacesTask
from converter.run_folder import RunFolder, read_json, write_json


def with_fooled(task: FacesTask, net: keras.Model, run: RunFolder) -> FacesTask:
    """Ask the net once, before it is trained, and keep the answers in the run folder for every later call.

    Source: A. Shrivastava, A. Gupta, R. Girshick, "Training region-based object detectors with online hard example
    mining", CVPR 2016; here once, not online.
    """
    if task.recipe.detection.hard_no_face == 0:
        return task
    if not run.fooled_file.exists():
        write_json(run.fooled_file, _highest_scores(task, net))
    return replace(task, fooled=np.array(read_json(run.fooled_file), np.float32))


def _highest_scores(task: FacesTask, net: keras.Model) -> list[float]:
    """Score of the best find in each training picture without faces, in their order; 0 where nothing is found."""
    without = task.training.take(~task.training.has_faces)
    found = finds_of(net, without, task.recipe.detection.input_shape)
    return [round(float(finds.scores.max(initial=0.0)), 3) for finds in found]
