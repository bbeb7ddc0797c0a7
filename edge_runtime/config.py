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
from edge_runtime.setting_rules import faults
from edge_runtime.setting_words import in_words
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
    for fault in faults(config):
        raise ConfigError(f"{_place_of(fault.keys, layers)}: {fault.told}")
    return config


def layer_names(path: str | Path | None = None, *, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Name the files and variables that load_config takes its values from, the first ones first."""
    return tuple(where for where, _ in [*_file_layers(path), *_environment_layers(environment or {})])


def device_id(config: Config) -> str:
    """Return the configured id, or the host's name with unfit characters replaced."""
    return config.device.id or re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:64] or "emotion-edge"


def _file_layers(path: str | Path | None) -> Iterator[Layer]:
    main = Path(path) if path is not None else DEFAULT_FILE
    if path is not None or _is_there(main):
        yield str(main), _read(main)
    if path is not None or main.parent == DEFAULT_FILE.parent:
        for part in _parts(main.parent / "conf.d"):
            yield str(part), _read(part)


def _is_there(path: Path) -> bool:
    """Whether a path exists. A folder that may not be entered is an error: what it holds may be what matters."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(path, error) from error
    return True


def _parts(folder: Path) -> list[Path]:
    if not (_is_there(folder) and folder.is_dir()):
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        raise _unreadable(folder, error) from error


def _read(path: Path) -> Tree:
    try:
        # Editors of Windows put a byte order mark in front, which TOML has not.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _unreadable(path, error) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: brackets in brackets without end; no setting needs them") from error


def _unreadable(path: Path, error: OSError) -> ConfigError:
    remedy = (
        f"let this user read it: sudo chmod a+rX {path}" if isinstance(error, PermissionError) else "check --config"
    )
    return ConfigError(f"{path}: cannot read the configuration ({error.strerror}); {remedy}")


def _environment_layers(environment: Mapping[str, str]) -> Iterator[Layer]:
    for name, text in sorted(environment.items()):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        if "__" not in name:
            _refuse_near(name)
            continue
        keys = name[len(ENVIRONMENT_PREFIX) :].lower().split("__")
        where = f"environment variable {name}"
        _refuse_unknown(_nest(keys, text), Config, where, ())
        try:
            text.encode()  # bytes that are no text reach us as surrogates, which no message may hold
            value = msgspec.convert(text, _type_at(keys), strict=False)
        except UnicodeEncodeError as error:
            raise ConfigError(f"{where}: expected text in UTF-8, found {text!a}") from error
        except msgspec.ValidationError as error:
            said = in_words(str(error), _type_at(keys))
            in_file = "; a list can stand in a file only" if "a list" in said else ""
            raise ConfigError(f"{where}: {said}, found {text!r}{in_file}") from error
        yield where, _nest(keys, msgspec.to_builtins(value))


def _refuse_near(name: str) -> None:
    """Refuse the name of a setting with one underscore where two belong; other programs' variables pass."""
    rest = name[len(ENVIRONMENT_PREFIX) :].lower()
    for section, kind in _fields(Config).items():
        head, _, key = rest.partition(f"{section}_")
        if not head and key and isinstance(kind, type) and issubclass(kind, Section) and key in _fields(kind):
            meant = f"{ENVIRONMENT_PREFIX}{section}__{key}".upper()
            raise ConfigError(f"environment variable {name}: no setting has this name; did you mean {meant}?")


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
            raise ConfigError(f"{here}: {dotted} is a table, found {_shown(value)}; write [{dotted}]")
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


def _shown(value: object) -> str:
    """Repeat a wrong value, but no address: it may hold a password."""
    return "an address" if "://" in str(value) else repr(value)


def _located(message: str, layers: list[Layer]) -> str:
    """Put the layer that set a wrong value, and the value, in front of what is expected."""
    found = re.search(r" - at `\$\.?([\w.]*)[^`]*`", message)
    keys = found.group(1).split(".") if found else []
    for where, tree in reversed(layers):
        value = _value_at(tree, keys)
        if keys and value is not None:
            said = in_words(message[: found.start()] if found else message, _type_at(keys))
            return f"{where}{_line_of(where, tuple(keys))}: {'.'.join(keys)} = {_shown(value)}: {said}"
    return message


def _place_of(keys: tuple[str, ...], layers: list[Layer]) -> str:
    """Name the layer, and in a file the line, that set one of some dotted keys last."""
    for where, tree in reversed(layers):
        for key in keys:
            if _value_at(tree, key.split(".")) is not None:
                return f"{where}{_line_of(where, tuple(key.split('.')))}"
    return "configuration"


def _value_at(tree: Tree, keys: list[str]) -> Any:  # noqa: ANN401  whatever a file may hold
    value: Any = tree
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
