"""`emotion-convert export`: a quantised run as the model bundle that the device loads."""

from __future__ import annotations

import argparse
from pathlib import Path

from converter.commands.output import add_json_flag, answer
from converter.commands.tensorflow import load_tensorflow


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "export",
        help="write a quantised run as a model bundle",
        description="Choose the policy on the validation part, check parity (exit code 7), and write the bundle.",
    )
    parser.add_argument("--run", required=True, type=Path, metavar="DIR", dest="run_dir", help="a quantised run")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="the bundle's folder")
    parser.add_argument("--version", required=True, metavar="X.Y.Z", help="of the bundle; it only goes up")
    parser.add_argument(
        "--report", nargs="*", default=[], type=Path, metavar="FILE", help="data to judge the bundle on for its card"
    )
    parser.add_argument("--terms", metavar="TEXT", help="what the owners of your data allow, for the card")
    parser.add_argument("--zip", action="store_true", help="also write NAME-VERSION.emodel beside the folder")
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the bundle and say where it is."""
    _check_version(args.version)
    load_tensorflow()
    from converter.export import gather, write_bundle, write_zip
    from converter.run_folder import RunFolder

    folder = RunFolder(args.run_dir)
    dossier = gather(folder, version=args.version, report_on=args.report, terms=args.terms)
    bundle = write_bundle(dossier, folder, args.out, terms=args.terms)
    files = [str(args.out)]
    if args.zip:
        files.append(str(write_zip(bundle, args.out.parent)))
    answer(
        {
            "written": files,
            "model_sha256": bundle.model_sha256,
            "policy": dossier.report()["policy"],
            "validation": dossier.judgement.int8_figures,
            "parity": dossier.judgement.parity,
            "reported": dossier.reported,
        },
        as_json=args.json,
    )
    return 0


def _check_version(version: str) -> None:
    """Refuse what no manifest may hold, before anything is judged."""
    from typing import get_type_hints

    import msgspec

    from edge_runtime.errors import UsageError
    from edge_runtime.manifest import Manifest

    try:
        msgspec.convert(version, type=get_type_hints(Manifest, include_extras=True)["version"])
    except msgspec.ValidationError as error:
        raise UsageError(f"--version: expected X.Y.Z, for instance 1.0.0, found {version!r}") from error
