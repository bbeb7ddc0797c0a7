"""What a data file holds, counted: classes, parts, missing points, copies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converter.datasets.copies import exact_copy_groups
from converter.datasets.types import CLASS_NAMES, USAGE_NAMES, EmotionData, KeypointData
from edge_runtime.contract import KEYPOINT_NAMES

Summary = dict[str, Any]
"""Plain values that JSON can hold."""


def summarize_emotion(data: EmotionData) -> Summary:
    """Count faces per class and usage, blank pictures and exact copies."""
    return {
        "kind": "emotion",
        "faces": len(data),
        "size_px": list(data.images.shape[1:]),
        "classes": {
            usage: {
                name: int(np.sum((data.usage == part) & (data.labels == label)))
                for label, name in enumerate(CLASS_NAMES)
            }
            for part, usage in enumerate(USAGE_NAMES)
            if np.any(data.usage == part)
        },
        "voted": 0 if data.votes is None else int(np.isfinite(data.votes[:, 0]).sum()),
        "blank": _blank(data.images),
        "copies": _copies(data.images, data.usage, data.labels.astype(str)),
    }


def summarize_keypoints(data: KeypointData) -> Summary:
    """Count faces per source, people, missing points and exact copies."""
    missing = np.asarray(np.isnan(data.points).any(axis=2))
    sources, counts = np.unique(data.source, return_counts=True)
    return {
        "kind": "keypoints",
        "faces": len(data),
        "size_px": list(data.images.shape[1:]),
        "sources": dict(zip(sources.tolist(), counts.tolist(), strict=True)),
        "people": len(np.unique(data.person)),
        "complete": int((~missing.any(axis=1)).sum()),
        "missing": dict(zip(KEYPOINT_NAMES, missing.sum(axis=0).tolist(), strict=True)),
        "blank": _blank(data.images),
        "copies": _copies(data.images, np.unique(data.source, return_inverse=True)[1], data.person),
    }


def _blank(images: NDArray[np.uint8]) -> int:
    return int(sum(np.ptp(image) == 0 for image in images))


def _copies(images: NDArray[np.uint8], part: NDArray[np.int64], label: NDArray[np.str_]) -> dict[str, int]:
    """Count pictures that have a pixel-identical twin, and groups of twins that cross parts or labels."""
    names, group, sizes = np.unique(exact_copy_groups(images), return_inverse=True, return_counts=True)
    return {
        "pictures": int(sizes[sizes > 1].sum()),
        "groups": int((sizes > 1).sum()),
        "groups_across_parts": _mixed(group, part.astype(str), len(names)),
        "groups_across_labels": _mixed(group, label, len(names)),
    }


def _mixed(group: NDArray[np.int64], value: NDArray[np.str_], groups: int) -> int:
    """Count groups whose members have more than one value."""
    codes = np.unique(value, return_inverse=True)[1]
    pairs = np.unique(np.stack([group, codes]), axis=1)
    return int((np.bincount(pairs[0], minlength=groups) > 1).sum())
