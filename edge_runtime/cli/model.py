"""`emotion-edge model`: list the models in use, verify a bundle."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edge_runtime.cli.options import Verbs, add_config, add_json, configured, summary
from edge_runtime.contract import SHIPPED_KINDS


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("model", help="list or verify model bundles", description=summary(__doc__))
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="print the models that `run` would use")
    add_config(listing)
    verify = actions.add_parser("verify", help="check digests, manifest and contract of a bundle (exit code 0 or 5)")
    verify.add_argument("bundle", type=Path, help="folder or .emodel file")
    for action, main in ((listing, list_main), (verify, verify_main)):
        add_json(action)
        action.set_defaults(main=main)


def list_main(arguments: argparse.Namespace) -> int:
    """Print kind, name, version, digest and place of every model in use."""
    from edge_runtime.wiring import open_bundle

    models = configured(arguments).models
    rows = []
    for kind in SHIPPED_KINDS:
        bundle = open_bundle(kind, models)
        rows.append(
            {
                "kind": kind,
                "name": bundle.manifest.name,
                "version": bundle.manifest.version,
                "sha256": bundle.model_sha256,
                "path": str(bundle.path),
            }
        )
    if arguments.json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        print(f"{row['kind']:10} {row['name']} {row['version']}  {row['sha256'][:12]}  {row['path']}")
    return 0


def verify_main(arguments: argparse.Namespace) -> int:
    """Load a bundle and its net; an error is reported by the caller with exit code 5."""
    from edge_runtime.bundle import load_bundle
    from edge_runtime.interpreter import open_interpreter

    bundle = load_bundle(arguments.bundle)
    open_interpreter(bundle.model)
    manifest = bundle.manifest
    found = {"ok": True, "kind": manifest.kind, "name": manifest.name, "version": manifest.version}
    print(json.dumps(found) if arguments.json else f"{arguments.bundle}: {manifest.name} {manifest.version} is intact")
    return 0
