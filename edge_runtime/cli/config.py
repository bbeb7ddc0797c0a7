"""`emotion-edge config`: show the merged settings, check them, or print every key with its default."""

from __future__ import annotations

import argparse
import json
import os

import msgspec

from edge_runtime.cli.options import Verbs, add_config, add_json, configured, summary
from edge_runtime.config import layer_names
from edge_runtime.credentials import without_secrets
from edge_runtime.settings import Config


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("config", help="show or check the configuration", description=summary(__doc__))
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print the merged settings of all layers")
    check = actions.add_parser("check", help="say whether the configuration is right (exit code 0 or 3)")
    schema = actions.add_parser("schema", help="print the JSON Schema of the configuration")
    for action, main in ((show, show_main), (check, check_main)):
        add_config(action)
        add_json(action)
        action.set_defaults(main=main)
    schema.set_defaults(main=schema_main)


def show_main(arguments: argparse.Namespace) -> int:
    """Print every setting in force. Secrets are in files of their own; what an address holds of them is cut off."""
    settings = msgspec.to_builtins(configured(arguments))
    if "://" in settings["source"]["uri"]:
        settings["source"]["uri"] = without_secrets(settings["source"]["uri"])
    if arguments.json:
        print(json.dumps(settings))
        return 0
    print(f"config_version = {settings.pop('config_version')}")
    for section, values in settings.items():
        print(f"\n[{section}]")
        for key, value in values.items():
            print(f"{key} = {json.dumps(value)}" if value is not None else f"# {key} is taken from the bundle")
    return 0


def check_main(arguments: argparse.Namespace) -> int:
    """Load the configuration and name what it came from; an error is reported by the caller with exit code 3."""
    configured(arguments)
    layers = layer_names(arguments.config, environment=os.environ)
    if arguments.json:
        print(json.dumps({"ok": True, "layers": layers}))
    else:
        print("\n".join(["configuration ok", *(f"  {layer}" for layer in layers or ["no file: all defaults"])]))
    return 0


def schema_main(_arguments: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    print(json.dumps(msgspec.json.schema(Config), indent=2))
    return 0
