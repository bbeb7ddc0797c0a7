"""Entry of `emotion-edge`: parse, run one verb, turn every expected error into one line and an exit code."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys

from edge_runtime._version import __version__
from edge_runtime.cli import annotate, bench, check, config, model, outbox, record, replay, run, selftest, tune, version
from edge_runtime.errors import EdgeRuntimeError, UsageError

_DESCRIPTION = """Read 15 keypoints and an emotion from every face a camera sees, on the device itself.
Numbers leave the device, pictures never do."""

_EPILOG = """examples:
  emotion-edge run --source demo                     the built-in clip, events on the terminal
  emotion-edge run --source camera --mqtt localhost  first camera, events to a broker
  emotion-edge run --source clip.mp4 --log-file e.jsonl
  emotion-edge check                                 what is missing on this device

exit codes: 0 ok, 1 failed, 2 usage, 3 configuration, 4 camera, 5 model, 6 broker required and absent"""


def parser() -> argparse.ArgumentParser:
    """Build the parser with all verbs."""
    top = argparse.ArgumentParser(
        prog="emotion-edge",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"emotion-edge {__version__}")
    verbs = top.add_subparsers(title="verbs", required=True, metavar="VERB")
    for verb in (run, check, selftest, bench, record, replay, tune, annotate, outbox, config, model, version):
        verb.add(verbs)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one verb.

    Returns:
        The exit code.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if isinstance(sys.stdout, io.TextIOWrapper):  # JSON is UTF-8, whatever the locale says
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    arguments = parser().parse_args(argv)
    try:
        _refuse_odd_names(sys.argv[1:] if argv is None else argv)
        return int(arguments.main(arguments))
    except EdgeRuntimeError as error:
        print(f"emotion-edge: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # `emotion-edge version | head -1`: the reader has had enough
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130


def _refuse_odd_names(argv: list[str]) -> None:
    """Refuse names that are no text: JSON cannot hold them, and OpenCV crashes on them."""
    for text in argv:
        if any("\ud800" <= letter <= "\udfff" for letter in text):  # bytes that are no text come to Python as these
            named = os.fsencode(text).decode("utf-8", "backslashreplace")
            raise UsageError(f"{named}: expected a name in UTF-8; rename it, or set LC_ALL=C.UTF-8")


if __name__ == "__main__":
    sys.exit(main())
