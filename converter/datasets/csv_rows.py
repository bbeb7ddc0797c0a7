"""Rows of a CSV file with a header, each with its line; ragged rows and missing columns are errors."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converter.errors import DataError

_CELL_BYTES = 1 << 24
"""Longest cell: far above a picture's 9216 numbers, far below what fills the memory."""


@dataclass(frozen=True)
class Row:
    """One row of a file."""

    where: str
    """File and line, for errors."""

    cells: dict[str, str]
    """Text by column, without blanks around it."""


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[list[str]]]:
    csv.field_size_limit(_CELL_BYTES)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            yield csv.reader(stream)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give --data a .npz, a .csv or a folder") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file ({error})") from error


def read_header(path: Path) -> tuple[str, ...]:
    """Name the columns of a file; blanks around a name do not count."""
    with _opened(path) as lines:
        names = tuple(name.strip() for name in next(iter(lines), []))
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names or twice:
        raise DataError(f"{path}, line 1: expected a header of different names, found {twice or 'nothing'}")
    return names


def read_rows(path: Path, needed: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a file that has at least the needed columns.

    Raises:
        DataError: a column is missing, or a row has more or fewer cells than the header.
    """
    header = read_header(path)
    missing = [name for name in needed if name not in header]
    if missing:
        raise DataError(f"{path}, line 1: expected columns {list(needed)}, missing {missing}; found {list(header)}")
    with _opened(path) as lines:
        for number, cells in enumerate(lines, start=1):
            if number == 1 or not cells:
                continue
            if len(cells) != len(header):
                raise DataError(f"{path}, line {number}: expected {len(header)} cells, found {len(cells)}")
            stripped = (cell.strip() for cell in cells)
            yield Row(f"{path}, line {number}", dict(zip(header, stripped, strict=True)))


def parse_pixels(row: Row, column: str, count: int | None) -> NDArray[np.uint8]:
    """Read one picture written as numbers 0..255 with blanks between.

    Args:
        row: the row.
        column: where the picture stands.
        count: how many numbers there must be; None = any square number of them.

    Returns:
        (side, side) uint8.
    """
    try:
        numbers = np.array(row.cells[column].split(), dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{row.where}, column {column}: expected whole numbers 0..255 ({error})") from error
    side = int(len(numbers) ** 0.5)
    if len(numbers) != (side * side if count is None else count) or not len(numbers):
        wanted = "a square picture" if count is None else f"{count} numbers"
        raise DataError(f"{row.where}, column {column}: expected {wanted}, found {len(numbers)} numbers")
    wrong = numbers[~((numbers >= 0) & (numbers <= 255) & (numbers == np.floor(numbers)))]
    if len(wrong):
        raise DataError(f"{row.where}, column {column}: expected whole numbers 0..255, found {wrong[0]:g}")
    return numbers.astype(np.uint8).reshape(side, side)
