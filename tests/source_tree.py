"""The project's Python sources as the architecture tests see them: parsed once, with the imports each file makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("edge_runtime", "converter", "firmware_config")
FOLDERS = (*PACKAGES, "tests", "benchmarks", "examples", "scripts")


@dataclass(frozen=True)
class Import:
    """One name that a file imports, at its top or inside a function."""

    module: str
    """Absolute dotted name; `from a import b` gives a.b where that is a module of this repository, else a."""

    line: int


@dataclass(frozen=True)
class Source:
    """One Python file of the repository."""

    path: Path

    @property
    def where(self) -> str:
        """Path relative to the repository, with forward slashes."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        """Dotted name; a package's __init__ keeps that last part."""
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts)

    @cached_property
    def text(self) -> str:
        """The whole file."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, filename=str(self.path))

    def imports(self) -> Iterator[Import]:
        """Yield every import of the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, node.lineno)
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                for alias in node.names:
                    yield Import(_resolve(node.module, alias.name), node.lineno)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Yield every function and method of the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def sources(*folders: str) -> list[Source]:
    """Return the Python files below top-level folders, sorted; a folder that does not exist has none."""
    return [Source(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def _resolve(module: str, name: str) -> str:
    path = ROOT.joinpath(*module.split("."), name)
    return f"{module}.{name}" if path.is_dir() or path.with_suffix(".py").is_file() else module
