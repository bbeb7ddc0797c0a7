"""Cut a validation part whose groups (copies, people) never stand on both sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def split_by_group(groups: NDArray[np.generic], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose whole groups at random until they hold `share` of the rows.

    A group of more than twice the share stays out: it would leave little to train on.

    Args:
        groups: (N,) group of each row.
        share: wanted share of the validation part, 0..1.
        rng: source of randomness.

    Returns:
        (N,) True where the row belongs to the validation part.
    """
    names, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    wanted, held, chosen = share * len(groups), 0, []
    for group in rng.permutation(len(names)):
        count = int(counts[group])
        if held < wanted and held + count < len(groups) and count <= max(2 * wanted, 1):
            chosen.append(group)
            held += count
    return np.isin(inverse, chosen)
