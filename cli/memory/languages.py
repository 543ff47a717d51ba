"""`ska memory languages`: what memory can do in which language, and what helps where it cannot."""

from typing import TYPE_CHECKING

import typer

from ..opening.running import with_runtime
from ..options import JsonOption
from ..output import emit_json, narrate, plain, table

if TYPE_CHECKING:
    from skill_agent.values import LanguageCoverage

_HEADINGS = ("remember", "words", "time", "changes", "facts", "standing")


def register(app: typer.Typer) -> None:
    """Adds this command to the group."""
    app.command("languages")(languages)


def languages(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Show what memory can do in each language you use.

    Of each language: its share of what you said lately; which phrases are known (requests to
    remember, words, times, changes, facts about you, standing instructions); whether the embedder
    that finds memories and the default model know it. Below stands what helps.

    \b
    Examples:
      ska memory languages
      ska memory languages --json | jq '.[] | select(.embedder == false)'
    """
    found = with_runtime(ctx, lambda runtime: runtime.memory.languages())
    if as_json:
        emit_json([plain(one) for one in found])
        return
    table(
        ("language", "said", *_HEADINGS, "found by meaning", "spoken by the model"),
        (_row(one) for one in found),
    )
    for one in found:
        if one.messages and one.advice:
            narrate(f"{one.id}: {'; '.join(one.advice)}")


def _row(one: "LanguageCoverage") -> tuple[str, ...]:
    said = f"{one.share:.0%}" if one.messages else ""
    rules = ("yes" if name in one.rules else "" for name in _HEADINGS)
    return one.id, said, *rules, _told(one.embedder), _told(one.model)


def _told(known: bool | None) -> str:
    return "?" if known is None else "yes" if known else "no"
