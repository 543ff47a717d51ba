"""`ska service`: has the system start the home's host with one's login.

Shows what it would write and writes only that; the system is told by the person, never from here.
"""

from pathlib import Path
from typing import Annotated

import typer

from skill_agent.errors import SkillAgentError, UsageError

from ..opening.running import ready_home
from ..options import YesOption, group
from ..output import emit_text, narrate
from ..surroundings import Surroundings, on_this_machine
from .autostart_units import MARK, Platform, Unit, this_platform, unit_for

app = group("Start a host with your login, by a systemd unit or launchd agent.")

ForceOption = Annotated[
    bool, typer.Option("--force", help="Also touch a file that `ska` did not write.")
]


@app.command()
def install(ctx: typer.Context, yes: YesOption = False, force: ForceOption = False) -> None:
    """Have the home's host started with your login.

    Shows the unit file, asks, writes it and says which command makes the system read it. Nothing
    is started from here, and no key or password enters the file.

    \b
    Examples:
      ska service install
      ska service install --yes
      ska --home ~/work/agents service install

    \b
    Exit codes: 0 written, 1 shown but not written, 2 the file there is not ours or cannot be made.
    """
    around = on_this_machine(ctx)
    unit = unit_for(_here(), ready_home(around))
    there = _text_of(unit.path)
    if there == unit.text:
        narrate(f"{unit.path} is as it should be")
        _tell_next(unit)
        return
    _refuse_foreign(unit.path, there, force=force)
    _show(unit)
    replaces = " in place of the one there" if there is not None else ""
    _agreed(around, f"Write {unit.path}{replaces}?", yes=yes)
    _write(unit)
    narrate(f"wrote {unit.path}")
    _tell_next(unit)


@app.command()
def remove(ctx: typer.Context, yes: YesOption = False, force: ForceOption = False) -> None:
    """Take the unit file away again.

    \b
    Examples:
      ska service remove
      ska service remove --yes

    \b
    Exit codes: 0 gone (also if none was there), 1 shown but not removed, 2 the file is not ours.
    """
    around = on_this_machine(ctx)
    unit = unit_for(_here(), around.home)
    there = _text_of(unit.path)
    if there is None:
        narrate(f"there is no {unit.path}")
        return
    _refuse_foreign(unit.path, there, force=force)
    emit_text(there)
    _agreed(around, f"Remove {unit.path}?", yes=yes)
    unit.path.unlink(missing_ok=True)
    narrate(f"removed {unit.path}")
    narrate(f"now end what it started: {unit.end}")


@app.command()
def show(
    ctx: typer.Context,
    platform: Annotated[
        str | None, typer.Option("--platform", metavar="NAME", help="linux or macos, not this one.")
    ] = None,
) -> None:
    """Print the unit file without writing it.

    \b
    Examples:
      ska service show
      ska service show --platform macos
    """
    unit = unit_for(_platform(platform) if platform else _here(), on_this_machine(ctx).home)
    _show(unit)


def _platform(name: str) -> Platform:
    match name:
        case "linux" | "macos":
            return name
    raise UsageError(f"no unit is known for {name!r}", hint="--platform linux or macos")


def _here() -> Platform:
    platform = this_platform()
    if platform is None:
        raise UsageError(
            "on this system nothing is known that starts a host with your login",
            hint="run `ska up` from whatever your system starts; ska service show --platform linux",
        )
    return platform


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def _refuse_foreign(path: Path, there: str | None, *, force: bool) -> None:
    if there is not None and MARK not in there and not force:
        raise UsageError(
            f"{path} was not written by `ska service`", hint="look at it first, then: --force"
        )


def _show(unit: Unit) -> None:
    emit_text(unit.text)
    narrate(f"it belongs in {unit.path}")


def _agreed(around: Surroundings, question: str, *, yes: bool) -> None:
    if yes:
        return
    if not around.interactive:
        raise SkillAgentError("nothing was changed, because nobody could be asked", hint="--yes")
    if not around.confirm(question):
        raise SkillAgentError("nothing was changed")


def _write(unit: Unit) -> None:
    from skill_agent.files.private import write_private

    try:
        unit.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {unit.path.parent}: {error.strerror or error}") from None
    write_private(unit.path, unit.text)


def _tell_next(unit: Unit) -> None:
    narrate(f"now have the system read it: {unit.begin}")
    for note in unit.notes:
        narrate(note)
