"""The agents a command works on: those of the files on this machine, or of a remote home.

Nothing is printed here but where the agents come from.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import typer

from skill_agent.files.home import Home

from ..opening.running import with_runtime
from ..output import narrate
from ..surroundings import surroundings

if TYPE_CHECKING:
    from skill_agent.agents.directory import AgentDirectory
    from skill_agent.agents.dna import AgentDNA, AgentStatus


class Team(Protocol):
    """What the commands ask for; an `AgentDirectory` is one."""

    def list(self) -> "Sequence[AgentDNA]": ...
    def get(self, name: str, /) -> "AgentDNA":
        """By slug or display name; raises NotFound with the nearest."""
        ...

    def new(self, slug: str, fields: dict[str, Any], /) -> "AgentDNA": ...
    def clone(self, source: str, slug: str, name: str, /) -> "AgentDNA": ...
    def set_status(self, agent: str, status: "AgentStatus", /) -> "AgentDNA": ...


def team_of(ctx: typer.Context, *, edit: bool = False) -> Team:
    """The team of the command's home; raises NotFound where there is none to `edit`."""
    around = surroundings(ctx)
    return RemoteTeam(ctx) if around.api else _directory(around.home, edit=edit)


def follow(home: Home, team: Team, dna: "AgentDNA") -> Iterator[str]:
    """Has the exported pages follow a changed agent; tells of them and of the file's warnings.

    For a remote home that is done on the other machine.
    """
    if isinstance(team, RemoteTeam):
        return
    from skill_agent.agents.directory import AgentDirectory
    from skill_agent.agents.pages import AgentPages

    assert isinstance(team, AgentDirectory)
    pages = AgentPages(home, team).refresh()
    for page in pages.written:
        yield f"{page.path} written again"
    for path in pages.edited:
        yield f"warning: {path} was edited and is left as it is"
    for warning in team.team.warnings:
        if f".{dna.slug}." in warning.key:
            yield f"warning: {warning}"


class RemoteTeam:
    """The team of a home that is served somewhere else, one call a command."""

    def __init__(self, ctx: typer.Context) -> None:
        self._ctx = ctx

    def list(self) -> "Sequence[AgentDNA]":
        return with_runtime(self._ctx, lambda runtime: runtime.agents.list())

    def get(self, name: str) -> "AgentDNA":
        return with_runtime(self._ctx, lambda runtime: runtime.agents.get(name.removeprefix("@")))

    def new(self, slug: str, fields: dict[str, Any]) -> "AgentDNA":
        return with_runtime(self._ctx, lambda runtime: runtime.agents.new(slug, fields))

    def clone(self, source: str, slug: str, name: str) -> "AgentDNA":
        return with_runtime(self._ctx, lambda runtime: runtime.agents.clone(source, slug, name))

    def set_status(self, agent: str, status: "AgentStatus") -> "AgentDNA":
        return with_runtime(self._ctx, lambda runtime: runtime.agents.set_status(agent, status))


def _directory(home: Home, *, edit: bool) -> "AgentDirectory":
    """The home's agents; without a home the bundled ones, to read only."""
    from skill_agent.agents.directory import AgentDirectory
    from skill_agent.errors import NotFound
    from skill_agent.files.bundled import bundled_agents_path
    from skill_agent.skills.book import SkillBook, skill_roots

    if home.agents.exists() or home.exists:
        directory = AgentDirectory(home.agents, known_skills=SkillBook(skill_roots(home)).names)
        if directory.team.agents and directory.error:
            for problem in directory.error.problems:
                narrate(f"warning: {problem}")
        return directory
    if edit:
        raise NotFound(f"there is no home at {home.root} to keep agents in", hint="ska init")
    narrate(f"no home at {home.root} yet (ska init makes one); showing the agents it begins with")
    return AgentDirectory(bundled_agents_path())
