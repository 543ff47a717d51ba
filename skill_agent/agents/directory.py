"""The agents of a home: read from agents.toml again whenever it changes, edited in place.

Holds no agent in code.
"""

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from skill_agent.errors import ConfigError, ConfigErrors, NotFound, UsageError
from skill_agent.files.private import read_text, resolved, write_private
from skill_agent.ports import Clock
from skill_agent.text.nearest import did_you_mean
from skill_agent.values import AgentStatus

from .dna import AgentDNA
from .parsing import Team, read_agents

Stamp = tuple[int, int, int]


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class AgentDirectory:
    """What agents there are. A broken edit of the file keeps the last good state.

    The error of a broken edit stands in `error` until the file is mended. Without any good state
    the agents whose tables are in order are there, and without one of those every read raises it.
    `known_skills` gives the skill names there are, for warnings.
    """

    def __init__(
        self,
        file: Path,
        *,
        known_skills: Callable[[], Collection[str]] | None = None,
        clock: Clock = _now,
    ) -> None:
        self.file = file
        self.error: ConfigErrors | None = None
        self._known_skills = known_skills
        self._clock = clock
        self._stamp: Stamp | None = None
        self._good: Team | None = None
        self._partly = Team()

    # -- reading -----------------------------------------------------------------------------

    @property
    def team(self) -> Team:
        """The newest good state of the file, or what is good of it where there never was one;
        raises ConfigErrors where that is nothing."""
        self._refresh()
        if self._good is not None:
            return self._good
        if self.error and not self._partly.agents:
            raise self.error
        return self._partly

    @property
    def slugs(self) -> tuple[str, ...]:
        """Every agent one can ask for, also those whose tables have mistakes."""
        return (*self.team.slugs, *self.team.refused)

    def list(self, status: AgentStatus | None = None) -> tuple[AgentDNA, ...]:
        """The agents in the file's order, all or those of one status."""
        return tuple(agent for agent in self.team.agents if status in (None, agent.status))

    def get(self, name: str) -> AgentDNA:
        """The agent by slug, or by display name; raises NotFound with the nearest slug, and
        ConfigErrors for one whose table has mistakes."""
        agents = self.team.agents
        wanted = name.removeprefix("@").casefold()
        if self.error and wanted in self.team.refused:
            raise self.error
        for agent in agents:
            if agent.slug == wanted:
                return agent
        for agent in agents:
            if agent.name.casefold() == wanted:
                return agent
        near = did_you_mean(name, [*self.team.slugs, *(agent.name for agent in agents)])
        raise NotFound(f'no agent "{name}"', hint=near or f"agents: {', '.join(self.team.slugs)}")

    def _refresh(self) -> None:
        stamp = self._stamp_now()
        if stamp is not None and stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._partly = self._read(read_text(self.file))
            self.error = self._partly.error
        except ConfigError as error:
            self._partly, self.error = Team(), ConfigErrors([error], hint=error.hint)
        if self.error is None:
            self._good = self._partly

    def _stamp_now(self) -> Stamp | None:
        """Changes when the file does; the inode also tells a replaced file of the same size."""
        try:
            status = self.file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self, text: str) -> Team:
        return read_agents(text, str(self.file), self._known_skills and self._known_skills())

    # -- editing -----------------------------------------------------------------------------

    def new(self, slug: str, fields: Mapping[str, Any] | None = None) -> AgentDNA:
        """Adds an agent; `fields` is its table as agents.toml writes it."""
        now = self._clock()
        table = {"status": "active", "created_at": now, "updated_at": now, **(fields or {})}
        return self._add(slug, lambda text: table)

    def clone(self, source: str, slug: str, name: str = "") -> AgentDNA:
        """Adds an agent with the source's table: its configuration, never its memories."""
        origin, now = self.get(source).slug, self._clock()
        changes = {
            "name": name or titled(slug),
            "status": "active",
            "created_at": now,
            "updated_at": now,
        }

        def table(text: str) -> dict[str, Any]:
            from .edits import table_of

            copied = {key: part for key, part in table_of(text, origin).items() if key != "slug"}
            return {**copied, **changes}

        return self._add(slug, table)

    def set_status(self, name: str, status: AgentStatus) -> AgentDNA:
        """Pauses, activates or archives an agent; one that is so already stays untouched."""
        from .edits import with_status

        agent = self.get(name)
        if agent.status == status:
            return agent
        now = self._clock()
        with self._locked():
            before = self._whole_text()
            self._replace(with_status(before, agent.slug, status, now), agent.slug)
        return self.get(agent.slug)

    def set_model(self, name: str, model: str) -> AgentDNA:
        """Has a model answer for an agent; what would choose another for it gives way."""
        from .edits import with_model

        agent = self.get(name)
        fields: dict[str, Any] = {"model_name": model, "force_tier": None}
        if agent.model.custom_tiers:  # they are chosen among even beside a named model
            fields["enable_model_routing"] = model == "default"
        now = self._clock()
        with self._locked():
            before = self._whole_text()
            self._replace(with_model(before, agent.slug, fields, now), agent.slug)
        return self.get(agent.slug)

    def let_use(self, name: str, server: str) -> AgentDNA:
        """Lets an agent use all tools of a server; one that may already stays untouched."""
        from .edits import with_servers

        agent = self.get(name)
        if server in agent.mcp:
            return agent
        now = self._clock()
        with self._locked():
            before = self._whole_text()
            named = (*self.get(agent.slug).mcp, server)
            self._replace(with_servers(before, agent.slug, named, now), agent.slug)
        return self.get(agent.slug)

    def _add(self, slug: str, table: Callable[[str], Mapping[str, Any]]) -> AgentDNA:
        from .edits import with_agent

        with self._locked():
            before = self._whole_text()
            if slug in self.team.slugs:
                raise UsageError(f'there is already an agent "{slug}"', hint="choose another slug")
            self._replace(with_agent(before, slug, table(before)), slug)
        return self.get(slug)

    def _whole_text(self) -> str:
        """The file as it is; raises ConfigErrors while it has mistakes."""
        self._refresh()
        if self.error:
            raise self.error
        return read_text(self.file)

    def _replace(self, text: str, slug: str) -> None:
        """Writes the new text if it reads well and changes no agent but this one."""
        new = self._read(text)
        if error := new.error:
            raise ConfigErrors(error.problems, hint=f"{self.file} was not changed; {error.hint}")
        if _others(self.team, slug) != _others(new, slug):
            raise UsageError(
                f"{self.file} is laid out in a way that cannot be edited by command",
                hint="edit the file itself",
            )
        write_private(self.file, text)
        self._good, self._stamp = new, self._stamp_now()

    def _locked(self) -> AbstractContextManager[Any]:
        """Keeps a second process from writing between our read and our write."""
        from filelock import FileLock

        return FileLock(resolved(self.file).with_name(f".{self.file.name}.lock"), mode=0o600)


def _others(team: Team, slug: str) -> tuple[AgentDNA, ...]:
    return tuple(agent for agent in team.agents if agent.slug != slug)


def slug_of(name: str) -> str:
    """A display name as a slug: `Zoë Smith` gives `zoe-smith`; may be empty."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_").lstrip("0123456789-_")[:40]


def titled(slug: str) -> str:
    """A slug as a display name: `zoe-smith` gives `Zoe Smith`."""
    return slug.replace("-", " ").replace("_", " ").title()
