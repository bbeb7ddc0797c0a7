"""What code assumes of every model bundle: the only home of sizes, names and their order."""

from __future__ import annotations

from typing import Final, Literal

INPUT_SIZE_PX: Final = 96
"""Side of the square grey input of both ResNets."""

EMOTION_SOURCE_SIZE_PX: Final = 48
"""Side at which emotion crops are sampled before they are enlarged: FER2013 has no finer detail."""

KEYPOINT_NAMES: Final[tuple[str, ...]] = (
    "left_eye_center",
    "right_eye_center",
    "left_eye_inner_corner",
    "left_eye_outer_corner",
    "right_eye_inner_corner",
    "right_eye_outer_corner",
    "left_eyebrow_inner_end",
    "left_eyebrow_outer_end",
    "right_eyebrow_inner_end",
    "right_eyebrow_outer_end",
    "nose_tip",
    "mouth_left_corner",
    "mouth_right_corner",
    "mouth_center_top_lip",
    "mouth_center_bottom_lip",
)
"""Order of the Kaggle facial keypoints set. Left and right are the SUBJECT's: left points have the larger x."""

KEYPOINT_COUNT: Final = len(KEYPOINT_NAMES)

MIRROR_ORDER: Final[tuple[int, ...]] = (1, 0, 4, 5, 2, 3, 8, 9, 6, 7, 10, 12, 11, 13, 14)
"""Row i of a mirrored picture's points is row MIRROR_ORDER[i] of the original's, with x -> width - 1 - x."""

LEFT_EYE, RIGHT_EYE = 0, 1
NOSE_TIP = 10
MOUTH_LEFT, MOUTH_RIGHT = 11, 12

KEYPOINT_OFFSET_PX: Final = 47.5
"""Keypoint nets answer (pixel - KEYPOINT_OFFSET_PX) / KEYPOINT_SCALE_PX, pixel centres at whole numbers."""

KEYPOINT_SCALE_PX: Final = 48.0

EMOTION_LABELS: Final[tuple[str, ...]] = ("angry", "disgust", "sad", "happy", "surprise")
"""The five answers, in the order of every score vector."""

NONE_OUTPUT: Final = "none"
"""Name of a net output that means: none of the five answers."""

INPUT_SCALE: Final = 1.0 / 255.0
"""Scale of every int8 input: real value = pixel / 255."""

INPUT_ZERO_POINT: Final = -128

MANIFEST_SCHEMA: Final = "emotion-edge.model/1"

ModelKind = Literal["keypoints", "emotion", "faces"]
"""What a bundle answers."""

UncertainReason = Literal["low_confidence", "small_face", "blurred", "pose"]
"""Why a face got no emotion label."""

SHIPPED_KINDS: Final[tuple[ModelKind, ...]] = ("keypoints", "emotion", "faces")
"""Kinds of which a bundle is shipped with the runtime."""

KERNEL_STEPS: Final[dict[ModelKind, int]] = {"keypoints": 3, "emotion": 5, "faces": 32}
"""int8 steps by which a net on optimised kernels may differ from its answers on reference kernels, which are the same
everywhere. Measured on x86-64 with the pictures of the self-tests: 2, 3 and 21; the faces net had 20 on 25 photographs.
The sums of every layer may be rounded otherwise, and the deep head of the faces net adds these up."""


def reference_steps(runtime: str) -> int:
    """int8 steps by which reference kernels of a runtime, such as `tflite-runtime 2.14.0`, may differ.

    None with LiteRT, which recorded the answers. The older tflite-runtime, all that 32-bit boards have, rounds one of
    240 values of the keypoint net otherwise (measured on x86-64 and on emulated armv7).
    """
    return 0 if runtime.startswith("ai-edge-litert") else 1
