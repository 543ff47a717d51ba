"""`ska diagnostics`: what somebody who helps needs to see, in one file, without what is yours.

No message, memory, prompt or model's reply goes in. What does is redacted once more on its way,
and your home directory's path and your name in it are taken out.
"""

import json
import os
import platform
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent import __version__
from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.host.presence import LOG
from skill_agent.text.redaction import redact, redacted

from ..host.up import LOG as HOST_LOG
from ..opening.options import utc_now
from ..opening.running import run_with
from ..options import single
from ..output import emit_text, narrate, plain
from ..surroundings import Surroundings, on_this_machine
from .doctor import findings

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.workstation import Workstation

_LOG_BYTES = 200_000
"""Of the end of each log."""
_KEPT_WORDS = frozenset({"LANG", "LC_ALL", "TERM", "COLORTERM", "SHELL", "NO_COLOR", "TZ"})
"""Variables of the environment whose values tell nothing about a person."""

app = single()


@app.command()
def diagnostics(
    ctx: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to; else a name with the day."),
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Print all that would go in, and write nothing.")
    ] = False,
) -> None:
    """Gather what somebody who helps you needs to see, in one zip file.

    It holds the versions of this program and of what it is built on, what `ska doctor` finds, how
    many rows there are of what, the settings, and the ends of the logs. It holds no message, no
    memory, no prompt, and no persona of your agents; keys and passwords are masked, and the path
    of your home directory stands as ~. Look at it before you send it: --show.

    \b
    Examples:
      ska diagnostics
      ska diagnostics --show | less
      ska diagnostics -o /tmp/for-the-ticket.zip

    \b
    Exit codes: 0 written, 1 it could not be written, 2 there is such a file already.
    """
    around = on_this_machine(ctx)
    parts = dict(_parts(around))
    if show:
        for name, text in parts.items():
            emit_text(f"== {name}\n{text}\n")
        return
    target = output or Path(f"skill-agent-diagnostics-{utc_now():%Y-%m-%d}.zip")
    _write(target, parts)
    narrate(f"{len(parts)} files without messages or memories; look at it before you send it")
    emit_text(str(target))


def _write(target: Path, parts: dict[str, str]) -> None:
    """Raises UsageError where something is there already; leaves nothing half written."""
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{target} is there already", hint="name another with --output") from None
    except OSError as problem:
        raise SkillAgentError(
            f"{target} cannot be written: {problem.strerror}", hint="name another with --output"
        ) from None
    try:
        with (
            os.fdopen(handle, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as to,
        ):
            for name, text in parts.items():
                to.writestr(name, text)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _parts(around: Surroundings) -> Iterator[tuple[str, str]]:
    """Each file by its name; what cannot be had says why in its place."""
    home = around.home
    makers: dict[str, Callable[[], str]] = {
        "versions.json": lambda: _json(_versions()),
        "doctor.json": lambda: _json(plain([*findings(around)])),
        "home.json": lambda: _json(_counts(around)),
        "config.toml": lambda: home.config.read_text(encoding="utf-8", errors="replace"),
        "agents.json": lambda: _json(_agents(home)),
        f"logs/{LOG}": lambda: _end_of(home.logs / LOG),
        f"logs/{HOST_LOG}": lambda: _end_of(home.logs / HOST_LOG),
    }
    for name, make in makers.items():
        try:
            text = make()
        except (SkillAgentError, OSError, ValueError) as problem:
            text = f"not to be had: {problem}"
        yield name, _without_the_person(text)


def _versions() -> dict[str, Any]:
    found = {one.metadata["Name"]: one.version for one in distributions() if one.metadata["Name"]}
    return {
        "skill-agent": __version__,
        "python": sys.version,
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "environment": {name: os.environ[name] for name in sorted(_KEPT_WORDS & {*os.environ})},
        "variables set": sorted(name for name in os.environ if name.startswith("SKILL_AGENT")),
        "libraries": dict(sorted(found.items())),
    }


def _counts(around: Surroundings) -> dict[str, Any]:
    async def counted(station: "Workstation") -> dict[str, Any]:
        return {
            "rows": await station.figures.counts(),
            "index": plain(await station.memory.status()),
            "warnings": await station.figures.warnings(),
        }

    if not around.home.exists:
        return {"home": "none"}
    return run_with(around, counted, role="script")


def _agents(home: "Home") -> list[dict[str, Any]]:
    """Which agents there are, on what they run, and nothing of who they are."""
    from skill_agent.agents.directory import AgentDirectory

    return [
        {"number": number, "status": dna.status, "model": dna.model.model_name,
         "skills": len(dna.effective_skills)}
        for number, dna in enumerate(AgentDirectory(home.agents).list())
    ]  # fmt: skip


def _end_of(log: Path) -> str:
    if not log.exists():
        return "nothing yet"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_BYTES))
        return file.read().decode("utf-8", "replace")


def _json(value: Any) -> str:
    return json.dumps(redacted(value), ensure_ascii=False, indent=2, default=str)


def _without_the_person(text: str) -> str:
    """Masked, and without the path that often holds a name."""
    return redact(text).replace(str(Path.home()), "~")
