"""`emotion-convert`: from labelled faces to the model bundle that runs on the device."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from converter.commands import data, edgetpu, evaluate, export, parity, quantize, report, soften, train
from converter.console import start_logging
from converter.errors import ConverterError
from edge_runtime._version import __version__
from edge_runtime.errors import EdgeRuntimeError

VERBS = (data, train, soften, quantize, evaluate, parity, edgetpu, export, report)
EXIT_CODES = "exit codes: 0 ok, 1 failed, 2 usage, 3 recipe, 5 model, 7 int8 too far from float"
_INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """Put all verbs together."""
    parser = argparse.ArgumentParser(prog="emotion-convert", description=__doc__, epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for verb in VERBS:
        verb.add(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; an error is one line on standard error and an exit code."""
    args = build_parser().parse_args(argv)
    start_logging()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return int(args.run(args))
    except (ConverterError, EdgeRuntimeError) as error:
        return _fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is missing; install it with: pip install 'emotion-edge[convert]'", 1)
    except OSError as error:
        return _fail(str(error), 1)
    except KeyboardInterrupt:
        return _fail("interrupted", _INTERRUPTED)


def _fail(message: str, code: int) -> int:
    print(f"emotion-convert: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
