"""Everything that is known about a quantised run: policy, figures of both nets, parity, all on its validation part."""

from __future__ import annotations

from dataclasses import dataclass

from converter.answers import float_logits, float_points, int8_logits, int8_points
from converter.drafts import read_model, run_bundle
from converter.faces.judgement import judge_faces
from converter.faces.task import FacesTask
from converter.figures import Figures, emotion_figures, keypoint_figures
from converter.parity import emotion_parity, keypoint_parity
from converter.policy import choose_policy
from converter.run_folder import RunFolder
from converter.tasks import EmotionTask, KeypointTask, Task
from edge_runtime.manifest import Policy, SmallFinds


@dataclass(frozen=True)
class Judgement:
    """What validation says."""

    policy: Policy
    float_figures: Figures
    int8_figures: Figures
    parity: Figures


def judge(run: RunFolder, task: Task) -> Judgement:
    """Run both nets of a quantised run over its validation part."""
    if isinstance(task, FacesTask):
        least, *figures = judge_faces(run, task)
        small = SmallFinds(below_px=least.small_below_px, enter=least.small)
        close_ups = task.recipe.detection.close_ups
        return Judgement(Policy(enter=least.large, exit=least.large, small=small, close_ups=close_ups), *figures)
    return _judge_emotion(run, task) if isinstance(task, EmotionTask) else _judge_keypoints(run, task)


def _judge_emotion(run: RunFolder, task: EmotionTask) -> Judgement:
    faces = task.validation
    of_int8 = int8_logits(run_bundle(run), faces.images)
    of_float = float_logits(read_model(run.float_tflite_file), faces.images)
    policy = choose_policy(of_int8, faces.labels)
    return Judgement(
        policy,
        emotion_figures(of_float, faces.labels, policy),
        emotion_figures(of_int8, faces.labels, policy),
        emotion_parity(of_float, of_int8, faces.labels, policy.temperature),
    )


def _judge_keypoints(run: RunFolder, task: KeypointTask) -> Judgement:
    faces = task.validation
    of_int8 = int8_points(run_bundle(run), faces.crops)
    of_float = float_points(read_model(run.float_tflite_file), faces.crops)
    return Judgement(
        Policy(),
        keypoint_figures(of_float, faces.points, faces.source),
        keypoint_figures(of_int8, faces.points, faces.source),
        keypoint_parity(of_float, of_int8, faces.points),
    )
