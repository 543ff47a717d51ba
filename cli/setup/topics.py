"""`ska help`: what holds for every command, by topic, or the help of one command."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated

import typer

from ..exit_codes import MEANING
from ..options import JsonOption, single
from ..output import emit_json, emit_text

app = single()

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "SKILL_AGENT_HOME": "the home, instead of the usual place; --home comes before it",
        "SKILL_AGENT_API": "a home that is served elsewhere, as --api",
        "SKILL_AGENT_API_KEY": "the key for that",
        "SKILL_AGENT_SECTION_KEY": "any setting of config.toml, e.g. SKILL_AGENT_MODELS_DEFAULT",
        "SKILL_AGENT_DEBUG": "show tracebacks instead of a sentence",
        "VISUAL, EDITOR": "what opens a text to be edited",
        "NO_COLOR": "no colours",
        "TERM": "with `dumb` nothing is drawn: ska talks line by line",
        "TEXTUAL_ANIMATIONS": "with `none` nothing in the workstation moves",
        "OPENAI_API_KEY and so on": "keys of model providers, as litellm names them",
    }
)
FORMATTING = """\
--json prints one JSON document: a list for a listing, an object for one thing. Fields are added,
never renamed or taken away. Times are ISO 8601 in UTC. stdout is data; what goes on is on stderr.

--jq EXPR picks from that, as jq does: texts as they are, all else as JSON on one line.
  ska sessions list --jq '.[] | select(.agent == "luke") | .id'

--format TEMPLATE prints one line per item; fields stand in {{ }}, filters are Jinja's, and `ago`.
  ska sessions list --format '{{ id }}  {{ updated_at | ago }}  {{ title | truncate(40) }}'
  ska usage --format '{{ it.rows | length }} rows'

--jsonl, where there is one, prints one object a line as things happen."""
IDS = """\
Where a command asks for an ID it takes the whole id, its first characters (six or more) as long as
only one thing begins so, or `latest`: the newest of its kind. Conversations go by their title as
well, jobs by their name, agents by their slug (with or without @) or name. Whatever fits several
things is refused, with a list; whatever fits none names the nearest."""


def _pairs(pairs: Mapping[str, str] | Mapping[int, str]) -> Callable[[], Iterator[str]]:
    width = max(len(str(name)) for name in pairs)

    def lines() -> Iterator[str]:
        yield from (f"{name!s:<{width}}  {said}" for name, said in pairs.items())

    return lines


TOPICS: Mapping[str, tuple[str, Callable[[], Iterator[str]]]] = MappingProxyType(
    {
        "exit-codes": ("what exit codes mean", _pairs(MEANING)),
        "environment": ("variables that ska heeds", _pairs(ENVIRONMENT)),
        "formatting": ("--json, --jq and --format", lambda: iter(FORMATTING.splitlines())),
        "ids": ("how things are named", lambda: iter(IDS.splitlines())),
    }
)


@app.command(name="help")
def explain(
    ctx: typer.Context,
    about: Annotated[
        list[str] | None, typer.Argument(metavar="[TOPIC|COMMAND...]", help="What about.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain what holds for every command: exit codes, environment, formatting, ids.

    Followed by a command it is that command's --help.

    \b
    Examples:
      ska help
      ska help formatting
      ska help memory search
      ska help exit-codes --json

    \b
    Exit codes: 0 explained, 2 there is no such topic or command.
    """
    words = about or []
    if not words:
        _list(as_json=as_json)
    elif len(words) == 1 and words[0] in TOPICS:
        _tell(words[0], as_json=as_json)
    else:
        from ..main import run

        raise typer.Exit(run([*words, "--help"]))


def _list(*, as_json: bool) -> None:
    if as_json:
        emit_json([{"id": name, "about": about} for name, (about, _) in TOPICS.items()])
        return
    emit_text("ska help COMMAND, or one of:")
    emit_text("\n".join(f"  {name:<12}  {about}" for name, (about, _) in TOPICS.items()))


def _tell(topic: str, *, as_json: bool) -> None:
    _, lines = TOPICS[topic]
    tables = {"exit-codes": MEANING, "environment": ENVIRONMENT}
    if as_json:
        told = tables.get(topic)
        emit_json({"id": topic, "entries": told} if told else {"id": topic, "text": [*lines()]})
        return
    for line in lines():
        emit_text(line or " ")
