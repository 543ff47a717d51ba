"""`ska team report`: a report in sections, made by an agent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import NotFound, SkillAgentError, UsageError

from ..opening.running import with_runtime
from ..options import AgentOption, JsonOption, choice, slug_of
from ..output import emit_json, emit_text, narrate, plain, without_controls
from ..surroundings import Surroundings, surroundings
from ..talk.stdin import LIMIT_BYTES, PipedText, decode, process_stdin

if TYPE_CHECKING:
    from skill_agent.values import Origin, Report, ReportRequest
    from skill_agent.workstation import Workstation


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    ctx: typer.Context,
    report_type: Annotated[
        str, typer.Argument(metavar="TYPE", help="code_review, comparison, action_plan …")
    ],
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is called.")],
    about: Annotated[
        str, typer.Option("--about", metavar="FILE", help="What it is about; - reads stdin.")
    ] = "",
    agent: AgentOption = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="A wish; may be repeated."),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="markdown, json or bullet_points.")
    ] = "markdown",
    max_sections: Annotated[
        int, typer.Option("--max-sections", min=1, help="At most so many sections.")
    ] = 10,
    as_json: JsonOption = False,
) -> None:
    """Have an agent write a report in sections.

    Without -a the agent that fits best writes it. Types: code_review, security_audit,
    research_summary, data_analysis, risk_assessment, performance_report, comparison,
    action_plan.

    \b
    Examples:
      ska team report code_review "The parser" --about parser.py -a luke
      git diff | ska team report security_audit "This change" --about -
      ska team report comparison "Trains or planes" --param for="four people"
    """
    from skill_agent.values import REPORT_TYPES, ReportRequest

    subject, origins = _subject(surroundings(ctx), about)
    request = ReportRequest(
        report_type=choice("TYPE", report_type, REPORT_TYPES)[0],
        title=title,
        subject=subject,
        parameters=_parameters(param or ()),
        max_sections=max_sections,
        format=choice("--format", form, ("markdown", "json", "bullet_points"))[0],
        origins=origins,
    )
    narrate("writing the report; on a small local model this takes a minute or more")
    made = with_runtime(ctx, lambda runtime: _made(runtime, request, agent))
    if made.missing:
        narrate(f"not in it, although asked for twice: {', '.join(made.missing)}")
    if as_json:
        emit_json(plain(made))
    else:
        emit_text(without_controls(made.text))


async def _made(runtime: "Workstation", request: "ReportRequest", agent: str | None) -> "Report":
    from dataclasses import replace

    return await runtime.reports.make(replace(request, agent=await slug_of(runtime, agent)))


def _subject(around: Surroundings, about: str) -> "tuple[str, tuple[Origin, ...]]":
    """The text and where it came from. Raises NotFound, UsageError."""
    if not about:
        return "", ()
    if about == "-":
        stream = around.stdin or process_stdin()
        if stream is None:
            raise UsageError("nothing is piped in", hint="cat FILE | ska team report … --about -")
        return PipedText(stream).text(wait_s=None, say=narrate), ("pipe",)
    path = Path(about).expanduser()
    if not path.is_file():
        raise NotFound(f"no file {path}", hint="--about takes a file, or - for stdin")
    if path.stat().st_size > LIMIT_BYTES:
        raise UsageError(f"{path} is larger than {LIMIT_BYTES // 1_000_000} MB")
    try:
        return decode(path.read_bytes()), ("file",)
    except OSError as problem:
        raise SkillAgentError(f"{path} cannot be read: {problem.strerror}") from None


def _parameters(given: "list[str] | tuple[str, ...]") -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, mark, value = one.partition("=")
        if not mark or not name.strip():
            raise UsageError(f"--param {one!r} is no NAME=VALUE", hint="--param audience=everybody")
        found[name.strip()] = value.strip()
    return found
