"""Cut a validation part whose groups (copies, people) never stand on both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def split_by_group(groups: NDArray[np.generic], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose whole groups at random until they hold `share` of the rows.

    Args:
        groups: (N,) group of each row.
        share: wanted share of the validation part, 0..1.
        rng: source of randomness.

    Returns:
        (N,) True where the row belongs to the validation part.
    """
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = rng.permutation(len(names))
    before = np.cumsum(counts[order]) - counts[order]
    chosen = order[before < share * len(groups)] if share > 0 else order[:0]
    return np.isin(inverse, chosen)
