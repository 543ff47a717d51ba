"""The agents a command works on: those of the files on this machine, or of a home elsewhere.

Nothing is printed here but where the agents come from.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import typer

from skill_agent.home import Home

from ..opening.running import with_runtime
from ..output import narrate
from ..surroundings import surroundings

if TYPE_CHECKING:
    from skill_agent.directory import AgentDirectory
    from skill_agent.dna import AgentDNA, AgentStatus


class Team(Protocol):
    """What the commands ask for."""

    def all(self) -> "Sequence[AgentDNA]": ...
    def get(self, name: str) -> "AgentDNA":
        """By slug or display name; raises NotFound with the nearest."""
        ...

    def new(self, slug: str, fields: dict[str, Any]) -> "AgentDNA": ...
    def clone(self, source: str, slug: str, name: str) -> "AgentDNA": ...
    def set_status(self, agent: str, status: "AgentStatus") -> "AgentDNA": ...
    def follow(self, dna: "AgentDNA") -> Iterator[str]:
        """Has everything that depends on a changed agent follow it, and tells what did."""
        ...


def team_of(ctx: typer.Context, *, edit: bool = False) -> Team:
    """The team of the command's home; raises NotFound where there is none to `edit`."""
    around = surroundings(ctx)
    return TeamElsewhere(ctx) if around.api else TeamHere(around.home, edit=edit)


class TeamHere:
    """agents.toml, edited in place; a process that hosts the home reads it again by itself."""

    def __init__(self, home: Home, *, edit: bool) -> None:
        self._home, self._directory = home, _directory(home, edit=edit)

    def all(self) -> "Sequence[AgentDNA]":
        return self._directory.list()

    def get(self, name: str) -> "AgentDNA":
        return self._directory.get(name)

    def new(self, slug: str, fields: dict[str, Any]) -> "AgentDNA":
        return self._directory.new(slug, fields)

    def clone(self, source: str, slug: str, name: str) -> "AgentDNA":
        return self._directory.clone(source, slug, name)

    def set_status(self, agent: str, status: "AgentStatus") -> "AgentDNA":
        return self._directory.set_status(agent, status)

    def follow(self, dna: "AgentDNA") -> Iterator[str]:
        """Exported pages, and the file's warnings about the agent."""
        from skill_agent.agent_pages import AgentPages

        pages = AgentPages(self._home, self._directory).refresh()
        for page in pages.written:
            yield f"{page.path} written again"
        for path in pages.edited:
            yield f"warning: {path} was edited and is left as it is"
        for warning in self._directory.team.warnings:
            if f".{dna.slug}." in warning.key:
                yield f"warning: {warning}"


class TeamElsewhere:
    """The team of a home that is served somewhere else."""

    def __init__(self, ctx: typer.Context) -> None:
        self._ctx = ctx

    def all(self) -> "Sequence[AgentDNA]":
        return with_runtime(self._ctx, lambda runtime: runtime.agents())

    def get(self, name: str) -> "AgentDNA":
        return with_runtime(self._ctx, lambda runtime: runtime.agent(name.removeprefix("@")))

    def new(self, slug: str, fields: dict[str, Any]) -> "AgentDNA":
        return with_runtime(self._ctx, lambda runtime: runtime.new_agent(slug, fields))

    def clone(self, source: str, slug: str, name: str) -> "AgentDNA":
        return with_runtime(self._ctx, lambda runtime: runtime.clone_agent(source, slug, name))

    def set_status(self, agent: str, status: "AgentStatus") -> "AgentDNA":
        return with_runtime(self._ctx, lambda runtime: runtime.set_agent_status(agent, status))

    def follow(self, dna: "AgentDNA") -> Iterator[str]:
        """What follows is on the other machine."""
        return iter(())


def _directory(home: Home, *, edit: bool) -> "AgentDirectory":
    """The home's agents; without a home the bundled ones, to read only."""
    from skill_agent.bundled import bundled_agents_path
    from skill_agent.directory import AgentDirectory
    from skill_agent.errors import NotFound
    from skill_agent.skillbook import SkillBook, skill_roots

    if home.agents.exists() or home.exists:
        return AgentDirectory(home.agents, known_skills=SkillBook(skill_roots(home)).names)
    if edit:
        raise NotFound(f"there is no home at {home.root} to keep agents in", hint="ska init")
    narrate(f"no home at {home.root} yet (ska init makes one); showing the agents it begins with")
    return AgentDirectory(bundled_agents_path())
