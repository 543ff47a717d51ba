"""A long text as what is remembered of it: one item for each section, none longer than recall can
tell apart."""

import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from .found import Fact

LONGEST = 2_000
"""Characters of an item; what an embedder reads of a longer one is its beginning."""
_HEADING = re.compile(r"#{1,6}[ \t]+(\S.*?)[ \t]*#*")
_BOLD = re.compile(r"\*\*([^*\n]{1,80})\*\*:?")
_FENCE = re.compile(r"[ \t]*(```|~~~)")


def sections(
    said: str,
    *,
    of: str,
    title: str = "",
    at: datetime | None = None,
    metadata: dict[str, Any] | None = None,
) -> Iterator[Fact]:
    """Each section under its headings; `of` tells this text from others, so that a section that is
    the same at the next import is known again."""
    for heading, body in _parts(said):
        names = [one for one in dict.fromkeys((title, heading)) if one]
        head = " › ".join(names)
        for piece in pieces(body, LONGEST - len(head)):
            whole = f"{head}\n{piece}" if head else piece
            name = sha256(f"{of}\n{whole}".encode("utf-8", "replace")).hexdigest()
            more = {**(metadata or {}), **({"heading": heading} if heading else {})}
            yield Fact(id=name, text=whole, at=at, metadata=more)


def _parts(said: str) -> Iterator[tuple[str, str]]:
    """Headings, each with what stands under it; a line that is bold alone is one."""
    heading, body, fenced = "", list[str](), ""
    for line in said.splitlines():
        if (fence := _FENCE.match(line)) and fenced in ("", fence[1]):
            fenced = "" if fenced else fence[1]
        found = None if fenced else (_HEADING.fullmatch(line) or _BOLD.fullmatch(line.strip()))
        if found is None:
            body.append(line)
            continue
        yield heading, "\n".join(body)
        heading, body = found[1], []
    yield heading, "\n".join(body)


def pieces(body: str, longest: int) -> Iterator[str]:
    """The text in parts of at most so many characters, cut between paragraphs where there are
    any, between lines or words otherwise."""
    longest, rest = max(longest, 200), body.strip()
    while len(rest) > longest:
        cut = next(
            (at for mark in ("\n\n", "\n", " ") if (at := rest.rfind(mark, 1, longest)) > 0),
            longest,
        )
        yield rest[:cut].rstrip()
        rest = rest[cut:].lstrip()
    if rest:
        yield rest
