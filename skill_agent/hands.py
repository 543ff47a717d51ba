"""Builds what a turn may do: keep, recall, tools, approvals, bound to one agent and session.

The only place where memory, skills, tools and approvals meet; a turn sees callables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from .dna import AgentDNA, Settings
from .events import Choice
from .memory.book import MemoryBook
from .memory.remember import find_remembrances
from .ports import Clock, Ledger, MemoryFilter, Model, Tool
from .prompt import Standing, system_prompt
from .recollection import Recollector
from .skillbook import SkillBook
from .tools.approvals import ApprovalDesk, RuleBook
from .tools.http import HttpGet
from .tools.memory import Remember, SearchMemory
from .tools.skills import ActivateSkill, ReadSkillFile
from .turn import Hands
from .values import Hit, Memory, MemoryType, Message, Skill, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Makes the `Hands` of each turn."""

    ledger: Ledger
    book: MemoryBook
    recollector: Recollector
    skillbook: SkillBook
    desk: ApprovalDesk
    rules: RuleBook
    settings: Settings
    clock: Clock

    def hands(
        self,
        dna: AgentDNA,
        model: Model,
        history: Sequence[Message],
        *,
        use_memory: bool,
        interactive: bool,
        seen: int,
    ) -> Hands:
        """Everything one turn of one agent may do."""
        recall = partial(self.recollector.recall, dna, model, history, seen)
        return Hands(
            model=model,
            keep=partial(self._keep, dna, history),
            recall=recall if use_memory else _no_recall,
            tools=self.tools(dna, use_memory=use_memory),
            announce=self.desk.open,
            decide=partial(self._decide, dna.slug, interactive),
            allows=partial(self.rules.allows, dna.slug),
            approval_timeout_s=self.settings.tools.approval_timeout_s,
            history_messages=self.settings.memory.history_messages,
        )

    # -- the system message ------------------------------------------------------------------

    async def system(self, dna: AgentDNA, *, use_memory: bool = True) -> str:
        """Layers 1-4 and 6 of the prompt as they stand now."""
        standing = await self._standing(dna) if use_memory else None
        return system_prompt(dna, skills=self.skills(dna), standing=standing)

    async def _standing(self, dna: AgentDNA) -> Standing:
        """In an order that new memories of less weight do not disturb."""
        wanted = MemoryFilter(
            agent=dna.slug,
            user=self.settings.general.user,
            memory_types=("identity", "user_profile", "shared"),
            statuses=("active", "disputed"),
            limit=500,
        )
        now = self.clock()
        found = await self.ledger.memories(wanted)
        alive = [m for m in found if m.expires_at is None or m.expires_at > now]
        alive.sort(key=lambda m: (-m.importance, m.created_at, m.id))

        def of(memory_type: MemoryType) -> tuple[Memory, ...]:
            return tuple(m for m in alive if m.memory_type == memory_type)

        return Standing(identity=of("identity"), profile=of("user_profile"), team=of("shared"))

    # -- memory ------------------------------------------------------------------------------

    async def _keep(
        self, dna: AgentDNA, history: Sequence[Message], message: Message
    ) -> list[Memory]:
        """Stores what the message asks to be remembered; "remember this" means the one before."""
        kept: list[Memory] = []
        for wish in find_remembrances(message.content, dna.memory.remember_commands):
            source, content = message, wish.content
            if not content:
                earlier = [m for m in history if m.role == "user"]
                if not earlier:
                    continue
                source, content = earlier[-1], earlier[-1].content
            kept.append(await self._keep_one(dna, source, content, private=wish.private))
        return kept

    async def _keep_one(
        self, dna: AgentDNA, source: Message, content: str, *, private: bool
    ) -> Memory:
        owner = dna.slug if private else None
        if known := await self._known(content, owner):
            return known
        return await self.book.add(
            content,
            memory_type="agent_private" if private else "semantic",
            agent=owner,
            importance=10,
            pinned=True,
            speaker="user",
            source=Source(session=source.session, message_ids=(source.id,)),
            reason="asked to remember",
        )

    async def _known(self, content: str, owner: str | None) -> Memory | None:
        """The same words, kept before and still standing: told twice is kept once."""
        wanted = MemoryFilter(pinned=True, statuses=("active",), limit=2_000)
        for memory in await self.ledger.memories(wanted):
            if memory.agent == owner and memory.content.casefold() == content.casefold():
                return memory
        return None

    # -- tools and approvals -----------------------------------------------------------------

    def skills(self, dna: AgentDNA) -> list[Skill]:
        """The effective skills that can really be offered."""
        by_name = {s.name: s for s in self.skillbook.skills() if s.loaded and not s.hidden}
        return [by_name[name] for name in dna.effective_skills if name in by_name]

    def tools(self, dna: AgentDNA, *, use_memory: bool = True) -> dict[str, Tool]:
        """The agent's tools by name, in a stable order."""
        names = [skill.name for skill in self.skills(dna)]
        tools: list[Tool] = []
        if names:
            tools.append(ActivateSkill(book=self.skillbook, names=names))
            tools.append(ReadSkillFile(book=self.skillbook, names=names))
        tools.append(
            HttpGet(
                boundaries=dna.boundaries,
                timeout_s=self.settings.tools.http_timeout_s,
                max_bytes=self.settings.tools.http_max_bytes,
            )
        )
        if use_memory:
            tools.append(SearchMemory(search=partial(self._search_for, dna)))
            autonomy = dna.boundaries.max_autonomy
            tools.append(Remember(save=partial(self._save_for, dna), autonomy=autonomy))
        return {tool.spec.name: tool for tool in tools}

    async def _search_for(self, dna: AgentDNA, query: str) -> list[Hit]:
        found = await self.book.search(
            query, agent=dna.slug, limit=8, floor=self.settings.memory.relevance_floor
        )
        return [one.hit for one in found]

    async def _save_for(self, dna: AgentDNA, content: str) -> Memory:
        return await self.book.add(
            content,
            agent=dna.slug,
            importance=6,
            source_type="extraction",
            actor=dna.slug,
            reason="the agent's own tool call",
        )

    async def _decide(
        self, agent: str, interactive: bool, approval: str, rule: str
    ) -> tuple[Choice, str]:
        """Waits for a person; where there is none the answer is no. Stores an "always"."""
        if not interactive:
            self.desk.answer(approval, "deny", "no person present")
        choice, by = await self.desk.wait(approval, self.settings.tools.approval_timeout_s)
        if choice == "always":
            self.rules.add(agent, rule)
        return choice, by


async def _no_recall(_message: Message, _kept: Sequence[Memory]) -> None:
    return None
