"""The programs of other makes that an agent can run on."""

import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from skill_agent.agents.dna import Runs
from skill_agent.errors import ModelUnavailable, UsageError
from skill_agent.models.outside import program_of
from skill_agent.settings.schema import AcpSettings
from skill_agent.values import OutsideProgram

from .operations import ListOfPrograms, ProgramOperations

_KNOWN = Path(__file__).parents[1] / "bundled" / "programs.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a program is started."""

    name: str
    command: tuple[str, ...]
    env: tuple[str, ...] = ()
    """Names of variables that it gets beside the harmless ones."""
    get: str = ""
    """How to get it."""
    login: str = ""
    """How to log in."""

    @property
    def found(self) -> str:
        """Where its program lies; empty where it does not."""
        return shutil.which(self.command[0]) or ""

    @property
    def whole(self) -> tuple[str, ...]:
        """The command with the whole path of its program; raises ModelUnavailable where there is
        none."""
        if not (found := self.found):
            raise ModelUnavailable(
                f"{self.name} is not here: there is no program {self.command[0]!r} on PATH",
                hint=self.get or f"see command under [acp.programs.{self.name}] in config.toml",
            )
        return (found, *self.command[1:])


class Programs(ProgramOperations):
    """The known ones and those of the settings."""

    def __init__(self, settings: AcpSettings) -> None:
        self._settings = settings

    async def list(self) -> ListOfPrograms:
        return [_told(one) for one in launches(self._settings)]


def launches(settings: AcpSettings) -> Sequence[Launch]:
    """All of them, by name."""
    return [launch_named(name, settings) for name in sorted({*_known(), *settings.programs})]


def launch_of(runs: Runs, settings: AcpSettings) -> Launch:
    """What an agent runs on; raises UsageError for a name nobody knows, with the nearest."""
    if isinstance(runs.acp, str):
        return launch_named(runs.acp, settings)
    if not runs.acp:
        raise UsageError("runs.acp is an empty command", hint='e.g. runs = { acp = "claude" }')
    return Launch(name=program_of(runs), command=runs.acp)


def launch_named(name: str, settings: AcpSettings) -> Launch:
    """Raises UsageError for a name nobody knows, with the nearest."""
    own, known = settings.programs.get(name), _known().get(name)
    if own is not None:
        told = known or Launch(name=name, command=own.command)
        return Launch(
            name=name,
            command=own.command,
            env=tuple(dict.fromkeys((*told.env, *own.env))),
            login=told.login,
        )
    if known is not None:
        return known
    names = sorted({*_known(), *settings.programs})
    near = get_close_matches(name, names, n=1)
    meant = f"{near[0]}?" if near else f"known: {', '.join(names)}"
    raise UsageError(
        f"no program {name!r} is known", hint=f"{meant} Others: [acp.programs.NAME] in config.toml"
    )


def _told(launch: Launch) -> OutsideProgram:
    hint = "" if launch.found else launch.get
    return OutsideProgram(name=launch.name, command=launch.command, found=launch.found, hint=hint)


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(_KNOWN.read_text("utf-8"))


def _known() -> dict[str, Launch]:
    """Of each the first command that can be run here, else the first."""
    found: dict[str, Launch] = {}
    for name, one in _table().items():
        commands = [tuple(command) for command in one["commands"]]
        here = next((command for command in commands if shutil.which(command[0])), commands[0])
        found[name] = Launch(
            name=name, command=here, env=tuple(one["env"]), get=str(one["get"]),
            login=str(one["login"]),
        )  # fmt: skip
    return found
