"""`ska summary`: what the day came to, at once."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import UsageError
from skill_agent.text.clock import zone_here, zone_of

from ..opening.running import with_runtime
from ..options import JsonOption, single
from ..output import emit_json, emit_text, narrate, plain

if TYPE_CHECKING:
    from skill_agent.values import DailySummary
    from skill_agent.workstation import Workstation

app = single()

SinceOption = Annotated[
    str, typer.Option("--since", metavar="TIME", help="From when on; else the beginning of today.")
]
UntilOption = Annotated[str, typer.Option("--until", metavar="TIME", help="Until when; else now.")]
LanguageOption = Annotated[
    str,
    typer.Option("--language", metavar="CODE", help="In which; else the one you wrote most."),
]
PlainOption = Annotated[
    bool, typer.Option("--plain", help="In the program's own words, without a model.")
]


@app.command()
def summary(
    ctx: typer.Context,
    since: SinceOption = "",
    until: UntilOption = "",
    language: LanguageOption = "",
    without_model: PlainOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what was talked about, decided, promised and left open.

    Each line names where it was said: the conversation by its number and the time, or the memory.
    To have it by itself: `ska jobs add "weekdays at 18:00" --kind summary`.

    \b
    Examples:
      ska summary
      ska summary --since 2026-11-23 --until 2026-11-28
      ska summary --plain --json
    """
    begin, end = _moment(since, "--since"), _moment(until, "--until")

    async def work(runtime: "Workstation") -> "DailySummary":
        from skill_agent.text.language import language as known
        from skill_agent.values import SummaryRequest

        if language and known(language) is None:
            raise UsageError(f"no words for {language!r} yet", hint="for example en, de, es, fr")
        narrate("reading what was said …")
        return await runtime.daily.make(
            SummaryRequest(since=begin, until=end, language=language, plain=without_model)
        )

    made = with_runtime(ctx, work)
    if as_json:
        emit_json(plain(asdict(made)))
    else:
        emit_text(made.text)


def _moment(text: str, option: str) -> datetime | None:
    """A day is the beginning of it here; a time without a zone is of this machine's clock."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{option}: {text!r} is no ISO 8601 time", hint="2026-11-30 or 2026-11-30T09:30:00Z"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=zone_of(zone_here()))
