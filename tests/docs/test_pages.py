"""What the pages tell a reader to type and to open exists."""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import converter.__main__
import edge_runtime.__main__
import firmware_config.__main__
from tests.source_tree import ROOT

PARSERS = {
    "emotion-edge": edge_runtime.__main__.parser,
    "emotion-convert": converter.__main__.build_parser,
    "emotion-firmware": firmware_config.__main__._parser,  # noqa: SLF001
}
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "systemd/README.md", "examples/README.md")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:emotion-(?:edge|convert|firmware)|make) [^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_COMMAND = re.compile(
    r"^\$? *(?:sudo (?:-\S+ (?:emotion-edge )?)*)?(?:[A-Z_]+=\S+ +)*((?:\S+/)?(?:emotion-\S+|make) .*)$"
)
_SYNOPSIS = re.compile(r"\[-|\.\.\.|\S\|\S")


def page_id(path: Path) -> str:
    """Name a page as links do."""
    return str(path.relative_to(ROOT))


def whole_commands(text: str) -> Iterator[list[str]]:
    """Commands of the code blocks, without comments and what follows in a pipe."""
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            found = _COMMAND.match(line)
            if found and not _SYNOPSIS.search(found[1]):
                words = shlex.split(found[1], comments=True)
                end = next((at for at, word in enumerate(words) if word in {"|", "&", "&&", ">", ";"}), len(words))
                yield [words[0].rpartition("/")[2], *words[1:end]]


def mentioned_commands(text: str) -> Iterator[list[str]]:
    """Commands inside a sentence, and synopses: they may lack arguments or hold placeholders."""
    lines = [line for block in _FENCE.findall(text) for line in block.splitlines()]
    synopses = [found[1] for line in lines if (found := _COMMAND.match(line)) and _SYNOPSIS.search(found[1])]
    for command in [*_INLINE.findall(_FENCE.sub("", text)), *synopses]:
        yield re.sub(r"[\[\]|]", " ", command).split()


def make_targets() -> set[str]:
    """Targets of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


def complaint_about_whole(command: list[str]) -> str | None:
    """Parse a command as its program does; return what the program would say against it."""
    if command[0] == "make":
        return unknown_target(command)
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            PARSERS[command[0]]().parse_args(command[1:])
        except SystemExit as end:
            if end.code:
                return f"{' '.join(command)}: {said.getvalue().splitlines()[-1]}"
    return None


def complaint_about_mentioned(command: list[str]) -> str | None:
    """Follow the verbs of a command and look its flags up; return what is unknown."""
    if command[0] == "make":
        return unknown_target(command)
    parser, words = PARSERS[command[0]](), command[1:]
    while words and (verbs := verbs_of(parser)):
        if words[0].startswith("-"):
            break
        if words[0] not in verbs:
            return f"{' '.join(command)}: no verb {words[0]}"
        parser, words = verbs[words[0]], words[1:]
    known = set(parser._option_string_actions)  # noqa: SLF001  argparse has no public list of flags
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    return f"{' '.join(command)}: no flag {', '.join(unknown)}" if unknown else None


def unknown_target(command: list[str]) -> str | None:
    """Return what is wrong with the targets of a make command."""
    targets = [word for word in command[1:] if "=" not in word and not word.startswith("-")]
    unknown = set(targets) - make_targets()
    return f"{' '.join(command)}: no target {', '.join(sorted(unknown))}" if unknown else None


def verbs_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Parsers of a parser's verbs."""
    for action in parser._actions:  # noqa: SLF001  argparse has no public list of verbs
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            return dict(action.choices)
    return {}


def anchors(page: Path) -> set[str]:
    """Anchors that a page's headings get."""
    headings = re.findall(r"^#+ +(.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_command_of_a_page_parses(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    found = [complaint_about_whole(command) for command in whole_commands(text)]
    found += [complaint_about_mentioned(command) for command in mentioned_commands(text)]

    complaints = [complaint for complaint in found if complaint]
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_no_page_changes_the_store_of_models_as_root(page: Path) -> None:
    """The command refuses it: what root writes there, the service could not change."""
    as_root = re.findall(
        r"^sudo emotion-edge model (?:install|activate|rollback).*", page.read_text("utf-8"), re.MULTILINE
    )

    assert not as_root


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        place, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)

    assert not broken


def test_every_setting_that_tuning_and_troubleshooting_name_exists() -> None:
    known = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## \[(\w+)\]\n(.*?)(?=^## |\Z)", known, re.MULTILINE | re.DOTALL))
    text = "".join((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("tuning", "troubleshooting"))

    named = {pair for pair in re.findall(r"`([a-z]+)\.([a-z_]+)\b", text) if pair[0] in sections}

    assert len(named) > 20
    assert not [f"{section}.{key}" for section, key in named if f"| `{key}` |" not in sections[section]]


def test_a_wrong_command_is_noticed() -> None:
    page = (
        "```\nemotion-edge run --sauce demo\nmake deom\n```\nSay `emotion-convert trian` or `emotion-edge run --loop`."
    )

    whole = [complaint_about_whole(command) for command in whole_commands(page)]
    mentioned = [complaint_about_mentioned(command) for command in mentioned_commands(page)]

    assert len([complaint for complaint in whole + mentioned if complaint]) == 4
