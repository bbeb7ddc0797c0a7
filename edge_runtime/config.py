"""Configuration from layers: defaults, file, conf.d, environment, command line; later ones win."""

from __future__ import annotations

import difflib
import math
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from edge_runtime.errors import ConfigError
from edge_runtime.settings import Config, Section

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ENVIRONMENT_PREFIX: Final = "EMOTION_EDGE_"
DEFAULT_FILE: Final = Path("/etc/emotion-edge/config.toml")

Tree = dict[str, Any]
Layer = tuple[str, Tree]
"""Where it came from, and its values."""


def load_config(
    path: str | Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Merge all layers into one checked configuration.

    Args:
        path: the main file; None = DEFAULT_FILE if it exists. Files in conf.d beside it follow in name order.
        environment: variables such as EMOTION_EDGE_MQTT__HOST; none when left out.
        overrides: dotted keys from the command line, for instance {"mqtt.host": "broker"}.

    Raises:
        ConfigError: names the file or variable, the key, what was found, what is expected.
    """
    layers = [*_file_layers(path), *_environment_layers(environment or {}), ("command line", _nested(overrides or {}))]
    merged: Tree = {}
    for where, tree in layers:
        _refuse_unknown(tree, Config, where, ())
        merged = _merged(merged, tree)
    try:
        config = msgspec.convert(merged, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(_located(str(error), layers)) from error
    _check_deployment(config, layers)
    _check_consent(config, layers)
    return config


def device_id(config: Config) -> str:
    """Return the configured id, or the host's name with unfit characters replaced."""
    return config.device.id or re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:64] or "emotion-edge"


def _file_layers(path: str | Path | None) -> Iterator[Layer]:
    main = Path(path) if path is not None else DEFAULT_FILE
    if path is not None or main.exists():
        yield str(main), _read(main)
    folder = main.parent / "conf.d"
    if folder.is_dir() and (path is not None or main.parent == DEFAULT_FILE.parent):
        for part in sorted(folder.glob("*.toml")):
            yield str(part), _read(part)


def _read(path: Path) -> Tree:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration ({error.strerror}); check --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: brackets in brackets without end; no setting needs them") from error


def _environment_layers(environment: Mapping[str, str]) -> Iterator[Layer]:
    for name, text in sorted(environment.items()):
        if not name.startswith(ENVIRONMENT_PREFIX) or "__" not in name:
            continue
        keys = name[len(ENVIRONMENT_PREFIX) :].lower().split("__")
        where = f"environment variable {name}"
        _refuse_unknown(_nest(keys, text), Config, where, ())
        try:
            value = msgspec.convert(text, _type_at(keys), strict=False)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{where}: {error}, found {text!r}") from error
        yield where, _nest(keys, msgspec.to_builtins(value))


def _nested(flat: Mapping[str, Any]) -> Tree:
    tree: Tree = {}
    for key, value in flat.items():
        tree = _merged(tree, _nest(key.split("."), value))
    return tree


def _nest(keys: list[str], value: object) -> Tree:
    tree: Any = value
    for key in reversed(keys):
        tree = {key: tree}
    return dict(tree)


def _merged(base: Tree, top: Tree) -> Tree:
    merged = dict(base)
    for key, value in top.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _fields(section: type[Section]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(section)}


def _type_at(keys: list[str]) -> Any:  # noqa: ANN401  a type expression
    kind: Any = Config
    for key in keys:
        kind = _fields(kind)[key]
    return kind


def _refuse_unknown(tree: Tree, section: type[Section], where: str, path: tuple[str, ...]) -> None:
    fields = _fields(section)
    for key, value in tree.items():
        keys = (*path, key)
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1)
            remedy = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(fields)}"
            raise ConfigError(f"{where}{_line_of(where, keys)}: unknown key {'.'.join(keys)!r}; {remedy}")
        _refuse_misfit(value, fields[key], where, keys)


def _refuse_misfit(value: object, kind: object, where: str, keys: tuple[str, ...]) -> None:
    """Refuse a value in the place of a table, a table in the place of a value, and numbers without end."""
    here, dotted = f"{where}{_line_of(where, keys)}", ".".join(keys)
    if isinstance(kind, type) and issubclass(kind, Section):
        if not isinstance(value, dict):
            raise ConfigError(f"{here}: {dotted} is a table, found {value!r}; write [{dotted}]")
        _refuse_unknown(value, kind, where, keys)
    elif isinstance(value, dict):
        raise ConfigError(f"{here}: {dotted!r} is no table, found {', '.join(value)} in it; write {dotted} = VALUE")
    elif isinstance(value, float) and math.isinf(value):
        raise ConfigError(f"{here}: {dotted} = {value}: expected a finite number")


def _line_of(where: str, keys: tuple[str, ...]) -> str:
    """`:12` of the line that sets a key, else of the table it is in; nothing when `where` is no file."""
    try:
        lines = Path(where).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):  # ValueError: a variable's name that no file can have
        return ""
    table: tuple[str, ...] = ()
    for number, line in enumerate(lines, start=1):
        heading, setting = re.match(r"\s*\[\[?\s*([\w.-]+)", line), re.match(r"\s*([\w.-]+)\s*=", line)
        if heading:
            table = tuple(heading[1].split("."))
        named = (*table, *setting[1].split(".")) if setting else table if heading else ()
        if named[: len(keys)] == keys:
            return f":{number}"
    return _line_of(where, keys[:-1]) if len(keys) > 1 else ""


def _located(message: str, layers: list[Layer]) -> str:
    """Put the layer that set a wrong value, and the value, in front of msgspec's message."""
    found = re.search(r" - at `\$\.?([\w.]*)`", message)
    keys = found.group(1).split(".") if found else []
    for where, tree in reversed(layers):
        value: Any = tree
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if keys and value is not None:
            said = message[: found.start()] if found else message
            return f"{where}{_line_of(where, tuple(keys))}: {'.'.join(keys)} = {value!r}: {said}"
    return message


def _check_deployment(config: Config, layers: list[Layer]) -> None:
    deployment = config.deployment
    if deployment.context in {"workplace", "education"} and not deployment.medical_or_safety_reason.strip():
        where = [name for name, tree in layers if "context" in tree.get("deployment", {})][-1]
        raise ConfigError(
            f"{where}{_line_of(where, ('deployment', 'context'))}: deployment.context = {deployment.context!r}: "
            f"emotion recognition there is prohibited in the EU but for "
            f"medical or safety reasons (AI Act Art. 5(1)(f)); state yours in deployment.medical_or_safety_reason, "
            f"see docs/privacy.md"
        )


def _check_consent(config: Config, layers: list[Layer]) -> None:
    """Refuse a gate that nobody could open, or that would not be there."""
    web = config.web
    if not web.consent_gate or (web.enabled and web.page):
        return
    where = [name for name, tree in layers if "consent_gate" in tree.get("web", {})][-1]
    raise ConfigError(
        f"{where}{_line_of(where, ('web', 'consent_gate'))}: web.consent_gate = true, but "
        f"web.{'page' if web.enabled else 'enabled'} = false: people agree on the page; "
        f"set web.{'page' if web.enabled else 'enabled'} = true, or web.consent_gate = false"
    )
