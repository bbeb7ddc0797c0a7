"""`emotion-edge model`: list, verify, install, activate and roll back the models of this device."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_runtime.cli.options import Verbs, add_config, add_json, configured, summary
from edge_runtime.contract import SHIPPED_KINDS
from edge_runtime.errors import ModelError, StoreError, UsageError

if TYPE_CHECKING:
    from edge_runtime.model_store.changes import Change, Changer
    from edge_runtime.model_store.inventory import Entry
    from edge_runtime.settings import Config

logger = logging.getLogger(__name__)


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("model", help="install, choose and verify models", description=summary(__doc__))
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="print what is shipped, installed, active and previous")
    verify = actions.add_parser("verify", help="check signature, digests and self-test (exit code 0 or 5)")
    verify.add_argument("bundle", type=Path, nargs="?", help="folder or .emodel file (default: all of `list`)")
    install = actions.add_parser("install", help="verify a bundle, try it and put it into the store")
    install.add_argument("bundle", type=Path, metavar="FILE", help=".emodel file or bundle folder")
    install.add_argument("--no-activate", action="store_true", help="install only; `activate` it later")
    install.add_argument("--allow-downgrade", action="store_true", help="take a lower version than there is")
    activate = actions.add_parser("activate", help="use an installed or a shipped model from the next start or reload")
    activate.add_argument("model", metavar="NAME[@VERSION]", help="without a version: the highest there is")
    rollback = actions.add_parser("rollback", help="use the model that was active before; one step")
    rollback.add_argument("kind", nargs="?", choices=SHIPPED_KINDS, help="needed when more than one can go back")
    mains = {
        listing: list_main,
        verify: verify_main,
        install: install_main,
        activate: activate_main,
        rollback: rollback_main,
    }
    for action, main in mains.items():
        add_config(action)
        action.add_argument("--store", metavar="DIR", help="folder of installed models (default: models.store)")
        action.add_argument(
            "--public-key", metavar="FILE", help="minisign public key (default: models.public_key_file)"
        )
        add_json(action)
        action.set_defaults(main=main)


def list_main(arguments: argparse.Namespace) -> int:
    """Print every model of this device; `*` marks what `run` would use."""
    from edge_runtime.model_store.inventory import entries

    found = entries(_config(arguments))
    if arguments.json:
        print(json.dumps([entry.as_row() for entry in found]))
        return 0
    for entry in found:
        words = [entry.origin, *(word for word in ("active", "previous") if getattr(entry, word))]
        told = entry.problem or f"{entry.sha256[:12]}  {entry.path}"
        print(
            f"{'*' if entry.in_use else ' '} {entry.kind:10} {entry.name} {entry.version}  {', '.join(words)}  {told}"
        )
    return 0


def verify_main(arguments: argparse.Namespace) -> int:
    """Check one bundle, or every model of this device."""
    config = _config(arguments)
    if arguments.bundle is not None:
        return _verify_one(arguments.bundle, config, as_json=arguments.json)
    from edge_runtime.model_store.inventory import entries, verified

    found = verified(entries(config))
    ok = not any(entry.problem for entry in found)
    if arguments.json:
        print(json.dumps({"ok": ok, "models": [entry.as_row() for entry in found]}))
    else:
        for entry in found:
            print(_verdict(entry))
    return 0 if ok else ModelError.exit_code


def install_main(arguments: argparse.Namespace) -> int:
    """Put a bundle into the store; an error is reported by the caller with exit code 5."""
    config = _config(arguments)
    change = _changer(config).install(
        arguments.bundle, activate=not arguments.no_activate, allow_downgrade=arguments.allow_downgrade
    )
    return _tell("installed", change, config, as_json=arguments.json)


def activate_main(arguments: argparse.Namespace) -> int:
    """Use another model."""
    config = _config(arguments)
    return _tell("activated", _changer(config).activate(arguments.model), config, as_json=arguments.json)


def rollback_main(arguments: argparse.Namespace) -> int:
    """Use the model before."""
    config = _config(arguments)
    changer = _changer(config)
    kind = arguments.kind
    if kind is None:
        able = [kind for kind in SHIPPED_KINDS if changer.store.choice(kind).previous is not None]
        if len(able) > 1:
            raise UsageError(f"rollback: {' and '.join(able)} can go back; say which, for instance rollback {able[0]}")
        if not able:
            raise StoreError(
                f"{changer.store.root}: no model to go back to; `emotion-edge model list` tells what is there"
            )
        kind = able[0]
    return _tell("rolled back", changer.roll_back(kind), config, as_json=arguments.json)


def _config(arguments: argparse.Namespace) -> Config:
    wanted: dict[str, Any] = {"models.store": arguments.store, "models.public_key_file": arguments.public_key}
    return configured(arguments, {key: value for key, value in wanted.items() if value is not None})


def _changer(config: Config) -> Changer:
    from edge_runtime.model_store.changes import Changer
    from edge_runtime.model_store.opening import open_store, trusted_keys

    store = open_store(config.models)
    if store is None:
        raise StoreError("models.store is empty: there is no store; name its folder there or with --store")
    return Changer(store, trusted_keys(config.models))


def _verify_one(path: Path, config: Config, *, as_json: bool) -> int:
    from edge_runtime.bundle import load_bundle
    from edge_runtime.model_store.opening import trusted_keys
    from edge_runtime.model_store.proof import prove_bundle

    bundle = load_bundle(path, keys=trusted_keys(config.models))
    prove_bundle(bundle)
    manifest = bundle.manifest
    found = {"ok": True, "kind": manifest.kind, "name": manifest.name, "version": manifest.version}
    print(json.dumps(found) if as_json else f"{path}: {manifest.name} {manifest.version} is intact")
    return 0


def _verdict(entry: Entry) -> str:
    if entry.problem:
        return f"FAILED  {entry.kind:10} {entry.problem}"
    return f"passed  {entry.kind:10} {entry.name} {entry.version}  {entry.path}"


def _tell(done: str, change: Change, config: Config, *, as_json: bool) -> int:
    """Say what changed, and what keeps the change from being used."""
    setting = {"keypoints": config.models.keypoints, "emotion": config.models.emotion}.get(change.kind)
    setting = setting or (config.detector.model if change.kind == "faces" else "")
    if setting:
        logger.warning("the configuration names %s for %s; that wins over the store", setting, change.kind)
    choice = change.choice
    if as_json:
        row = {"ok": True, "done": done, "kind": change.kind, "model": change.label}
        print(json.dumps(row | {"active": choice.active, "previous": choice.previous}))
        return 0
    print(f"{change.kind}: {change.label} {done}; active: {choice.active}, previous: {choice.previous or 'none'}")
    return 0
