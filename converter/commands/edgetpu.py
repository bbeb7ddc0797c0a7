"""`emotion-convert edgetpu`: whether a bundle's net runs on the Edge TPU, and the net compiled for it."""

from __future__ import annotations

import argparse
from pathlib import Path

from converter.commands.output import add_json_flag, answer


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "edgetpu",
        help="check a bundle's net against the Edge TPU and compile it",
        description="Check operators and types against the Edge TPU's list, then compile where edgetpu_compiler is on "
        "the PATH. Exit code 5 when anything would be left to the CPU.",
    )
    parser.add_argument("--bundle", required=True, type=Path, metavar="DIR", help="bundle folder or .emodel file")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the compiled net goes; needs edgetpu_compiler")
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the inventory, check it, compile."""
    from converter.edgetpu import COMPILER, compiled, compiler, inventory, require_supported
    from converter.errors import EdgeTpuError
    from edge_runtime.bundle import load_bundle

    model = load_bundle(args.bundle).model
    found, program = inventory(model), compiler()
    answer(
        {
            "operators": found.operators,
            "types": found.types,
            "refused": found.refused,
            "compiler": str(program or f"{COMPILER} is not on the PATH: operators were checked, nothing was compiled"),
        },
        as_json=args.json,
    )
    require_supported(found)
    if program is not None:
        result = compiled(model, program)
        if args.out is not None:
            args.out.write_bytes(result)
    elif args.out is not None:
        raise EdgeTpuError(f"--out {args.out}: {COMPILER} is not on the PATH; install it from coral.ai")
    return 0
