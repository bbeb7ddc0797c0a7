"""Hook of mkdocs: pages link to files of the repository, which are not part of the site; there the path is shown."""

from __future__ import annotations

import re
from typing import Final

_LINK: Final = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)#]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Turn `[text](../path)` into `text (path)`."""
    return _LINK.sub(_as_text, markdown)


def _as_text(link: re.Match[str]) -> str:
    words, path = link[1], link[2]
    return f"`{path}`" if words.strip("`") == path else f"{words} (`{path}`)"
