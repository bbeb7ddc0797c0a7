"""`emotion-convert edgetpu`: whether bundles' nets run on the Edge TPU, and copies with the nets compiled for it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.commands.output import add_json_flag, answer

if TYPE_CHECKING:
    from converter.edgetpu import Inventory


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "edgetpu",
        help="check bundles' nets against the Edge TPU and compile them together",
        description="Check operators and types against the Edge TPU's list, then compile all nets in one call where "
        "edgetpu_compiler is on the PATH: nets that run in turns share the chip's memory only when they were compiled "
        "together. Exit code 5 when anything would be left to the CPU.",
    )
    parser.add_argument(
        "bundles",
        nargs="+",
        type=Path,
        metavar="BUNDLE",
        help="bundle folder or .emodel file; those named first get the chip's memory first",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for copies with compiled nets; needs edgetpu_compiler"
    )
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the inventories, check them, compile, write copies."""
    from converter.edgetpu import COMPILER, compile_together, compiler, inventory, require_supported
    from converter.edgetpu_bundles import load_all, write_compiled
    from converter.errors import EdgeTpuError

    bundles, program = load_all(args.bundles), compiler()
    found = {name: inventory(bundle.model) for name, bundle in bundles.items()}
    figures: dict[str, Any] = {
        "bundles": {name: _told(each) for name, each in found.items()},
        "weights": _memory(sum(each.weight_bytes for each in found.values())),
        "compiler": str(program or f"{COMPILER} is not on the PATH: operators were checked, nothing was compiled"),
    }
    try:
        for name, each in found.items():
            require_supported(each, name)
        if program is None and args.out is not None:
            raise EdgeTpuError(f"--out {args.out}: {COMPILER} is not on the PATH; install it from coral.ai")
        if program is not None:
            compiled = compile_together({name: bundle.model for name, bundle in bundles.items()}, program)
            figures["compiled"] = {
                name: {"on chip": each.on_chip, "off chip": each.off_chip} for name, each in compiled.items()
            }
            if args.out is not None:
                written = [write_compiled(bundles[name], each, args.out / name) for name, each in compiled.items()]
                figures["written"] = [str(bundle.path) for bundle in written]
    finally:
        answer(figures, as_json=args.json)
    return 0


def _told(found: Inventory) -> dict[str, Any]:
    return {
        "operators": found.operators,
        "types": found.types,
        "refused": found.refused,
        "weights": f"{found.weight_bytes / 1e6:.2f} MB",
    }


def _memory(weight_bytes: int) -> str:
    from converter.edgetpu import ON_CHIP_BYTES

    share = weight_bytes / ON_CHIP_BYTES
    fits = "they may all stay on the chip" if share < 1 else "some go over the bus in every run"
    return f"{weight_bytes / 1e6:.2f} MB of all nets, {share:.0%} of the chip's 8 MiB: {fits}"
