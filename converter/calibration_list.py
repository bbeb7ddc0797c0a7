"""The list of pictures that fixed the int8 ranges of a net, as it stands in run folders and bundles."""

from __future__ import annotations

import msgspec

from converter.errors import RunError
from converter.run_folder import RunFolder, write_json


class CalibrationPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One picture of the list."""

    row: int
    """In the data, in the order of reading."""

    sha256: str
    """Of its pixels."""


class CalibrationList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which pictures fixed the ranges of a net."""

    data: tuple[str, ...]
    """Digests of the data files, in the order of reading."""

    pictures: tuple[CalibrationPicture, ...]


def read_calibration(run: RunFolder) -> CalibrationList:
    """Read the list of a quantised run."""
    try:
        return msgspec.json.decode(run.calibration_file.read_bytes(), type=CalibrationList)
    except OSError as error:
        raise RunError(f"{run.path}: not quantised yet; do `emotion-convert quantize --run {run.path}`") from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise RunError(f"{run.calibration_file}: {error}; delete it and quantise again") from error


def write_calibration(run: RunFolder, listed: CalibrationList) -> None:
    """Keep the list that made a run's int8 net."""
    write_json(run.calibration_file, msgspec.to_builtins(listed))
