"""What a home holds beside its memory, looked up and changed: agents, skills, models,
conversations, permissions, figures. No turn is run here, and nothing is read in the background.
"""

import asyncio
from datetime import datetime
from typing import Any

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.agents.pages import AgentPages, figures
from skill_agent.conversations.sessions import find_session
from skill_agent.conversations.usage import totals
from skill_agent.errors import UsageError
from skill_agent.files.home import Home
from skill_agent.files.written import WrittenFiles
from skill_agent.models.trial import tried
from skill_agent.ports import Clock, Ledger, Model, ModelGateway, Progress
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.text.checks import sound_path, sound_text
from skill_agent.tools.approvals import RuleBook
from skill_agent.values import (
    AgentStatus,
    FileKind,
    Message,
    ModelInfo,
    ModelTrial,
    PageFormat,
    Pages,
    Session,
    Skill,
    UsageTotals,
)

from .presence import Presence


class Records:
    """The records of one open home; a runtime is this and the turns."""

    def __init__(
        self,
        *,
        home: Home,
        settings: Settings,
        ledger: Ledger,
        directory: AgentDirectory,
        skillbook: SkillBook,
        gateway: ModelGateway,
        clock: Clock,
        rules: RuleBook,
        presence: Presence,
    ) -> None:
        self.home, self.settings, self.directory = home, settings, directory
        self.skillbook, self.gateway = skillbook, gateway
        self.ledger, self.host = ledger, presence
        self._clock, self._rules = clock, rules
        self.pages = AgentPages(home, directory)
        self.written = WrittenFiles(home, clock)

    # -- agents, skills, models --------------------------------------------------------------

    async def agents(self) -> list[AgentDNA]:
        """In the order of agents.toml."""
        return list(self.directory.list())

    async def agent(self, slug: str) -> AgentDNA:
        """Raises NotFound naming the nearest."""
        return self._agent(slug)

    def _agent(self, slug: str) -> AgentDNA:
        return self.directory.get(slug)

    async def new_agent(self, slug: str, fields: dict[str, Any] | None = None) -> AgentDNA:
        """Raises UsageError where there is one already, ConfigErrors for bad fields."""
        return await asyncio.to_thread(self.directory.new, slug, fields)

    async def clone_agent(self, slug: str, new_slug: str, name: str = "") -> AgentDNA:
        """Its configuration, never its memories."""
        return await asyncio.to_thread(self.directory.clone, slug, new_slug, name)

    async def set_agent_status(self, slug: str, status: AgentStatus) -> AgentDNA:
        return await asyncio.to_thread(self.directory.set_status, slug, status)

    async def export_agents(
        self, agents: list[str], *, to: str, page_format: PageFormat, force: bool = False
    ) -> Pages:
        """Raises UsageError where a file of another origin is in the way, unless `force`."""
        wanted = [self._agent(one) for one in agents] if agents else await self.agents()
        done = await figures(self.ledger)
        return self.pages.export(
            wanted, to=sound_path(to, "the folder"), page_format=page_format, done=done, force=force
        )

    async def skills(self) -> list[Skill]:
        return list(self.skillbook.skills())

    async def models(self) -> list[ModelInfo]:
        return self.gateway.catalogue()

    async def model_info(self, agent: str, model: str | None = None) -> ModelInfo:
        """The model that would answer now."""
        return (await self._model(self._agent(agent), model)).info

    async def try_model(
        self, name: str | None = None, *, progress: Progress | None = None
    ) -> ModelTrial:
        """Has a model say hello; raises what its first call raises."""
        return await tried(await self.gateway.model(name or "default"), progress)

    async def _model(self, dna: AgentDNA, override: str | None) -> Model:
        tier = dna.model.force_tier
        custom = {one.tier: one.model_name for one in dna.model.custom_tiers}
        name = override or (custom.get(tier, tier) if tier else dna.model.model_name)
        return await self.gateway.model(name)

    # -- conversations -----------------------------------------------------------------------

    async def sessions(
        self, *, limit: int = 50, before: tuple[datetime, str] | None = None
    ) -> list[Session]:
        """Newest activity first; `before` is (updated_at, id) of the last one already had."""
        return await self.ledger.sessions(limit=limit, before=before)

    async def find_session(self, ref: str) -> Session:
        """By `latest`, id, id prefix or title; raises NotFound or UsageError."""
        return await find_session(self.ledger, ref)

    async def messages(
        self, session_id: str, *, last: int = 0, after: int = -1, limit: int = 0
    ) -> list[Message]:
        """In order; `last` > 0 keeps only that many from the end."""
        return await self.ledger.messages(session_id, last=last, after=after, limit=limit)

    async def messages_by_id(self, ids: list[str]) -> dict[str, Message]:
        """Those that exist, by exact id."""
        return await self.ledger.messages_by_id(ids)

    async def search_messages(self, text: str, *, limit: int = 50) -> list[Message]:
        return await self.ledger.search_messages(text, limit=limit)

    async def rename_session(self, ref: str, title: str) -> Session:
        if not title.strip():
            raise UsageError("a title cannot be empty")
        sound_text(title, "the title")
        session = await self.find_session(ref)
        await self.ledger.rename_session(session.id, " ".join(title.split()), actor="person")
        return await self.find_session(session.id)

    async def set_session_agent(self, session_id: str, agent: str) -> None:
        """Who answers from now on in this session."""
        await self.ledger.set_session_agent(session_id, self._agent(agent).slug)

    # -- figures, permissions, files ---------------------------------------------------------

    async def usage(self) -> UsageTotals:
        """Tokens and cost: last turn, today, all."""
        return await totals(self.ledger, self._clock())

    async def counts(self) -> dict[str, int]:
        return await self.ledger.counts()

    async def warnings(self) -> list[str]:
        """What the ledger found odd when it was opened."""
        return list(getattr(self.ledger, "warnings", ()))

    async def rules(self) -> list[str]:
        """Tool calls allowed with "always"."""
        return self._rules.rules()

    async def revoke_rule(self, rule: str) -> None:
        self._rules.revoke(rule)

    async def note_written(self, path: str, kind: FileKind) -> None:
        """Keeps a file written outside the home in mind, so that erasing reaches it."""
        await asyncio.to_thread(self.written.add, sound_path(path), kind)
