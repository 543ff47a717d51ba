"""Builds what a turn may do: keep, recall, tools, approvals, bound to one agent and session.

The only place where memory, skills, tools and approvals meet; a turn sees callables.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from skill_agent.agents.dna import AgentDNA
from skill_agent.events import Choice
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.english.remember import find_remembrances
from skill_agent.memory.hot import HotCache
from skill_agent.ports import Clock, Ledger, Model, Tool
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.tools.approvals import ApprovalDesk, RuleBook
from skill_agent.tools.http import HttpGet
from skill_agent.tools.memory import Remember, SearchMemory
from skill_agent.tools.skills import ActivateSkill, ReadSkillFile
from skill_agent.values import Hit, Memory, Message, NewMemory, Search, Skill, Source

from .fitting import Tokens
from .loop import Hands
from .prompt import Layers, Standing, layers
from .recollection import Recollector

BRIEFLY_S, PATIENTLY_S = 0.1, 2.0
"""How long a turn waits for comparisons; a search, and a turn that just kept something, longer."""

Reconcile = Callable[[float], Awaitable[object]]

_log = logging.getLogger(__name__)


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
    hot: HotCache
    tokens: Tokens = field(default_factory=Tokens)
    reconcile: Reconcile | None = None
    """Sets what was kept lately against what is known, in so many seconds; never raises."""

    def hands(
        self,
        dna: AgentDNA,
        model: Model,
        history: Sequence[Message],
        *,
        earlier: Sequence[Message],
        use_memory: bool,
        interactive: bool,
        seen: int,
        tools: Mapping[str, Tool] | None = None,
        dry: bool = False,
    ) -> Hands:
        """Everything one turn of one agent may do, with these tools where they are known already.

        `history` is what stands in the prompt, so that nothing of it is recalled again; `earlier`
        is the whole conversation. With `dry` nothing is kept.
        """
        recall = partial(self.recollector.recall, dna, model, history, seen, dry=dry)
        return Hands(
            model=model,
            keep=partial(self._keep, dna, earlier, dry=dry),
            recall=recall if use_memory else _no_recall,
            tools=self.tools(dna, use_memory=use_memory) if tools is None else tools,
            announce=self.desk.open,
            decide=partial(self._decide, dna.slug, interactive),
            allows=partial(self.rules.allows, dna.slug),
            approval_timeout_s=self.settings.tools.approval_timeout_s,
            tokens=self.tokens,
        )

    # -- the system message ------------------------------------------------------------------

    async def system(self, dna: AgentDNA, *, use_memory: bool = True, window: int = 0) -> Layers:
        """Layers 1-4 and 6 of the prompt as they stand now, for a window of that size."""
        standing = await self.standing(dna) if use_memory else None
        return layers(dna, skills=self.skills(dna), standing=standing, window=window)

    async def holds(self, dna: AgentDNA, shown: Layers) -> bool:
        """Whether a system message made earlier in a session still tells the truth.

        New memories may wait for the next session, for the prefix's sake; but who the agent is may
        not, and what was forgotten, replaced, purged or disputed since must leave at once.
        """
        now = await self.standing(dna)
        known = {(m.id, m.content, m.status) for m in (*now.identity, *now.profile, *now.team)}
        told = {(m.id, m.content, m.status) for m in shown.shown}
        return told <= known and {m.id for m in now.identity} <= {one for one, _, _ in told}

    async def standing(self, dna: AgentDNA) -> Standing:
        """The memories every prompt of the agent holds, by now."""
        hot = await self.hot.of(dna.slug, self.settings.general.user)
        return Standing(identity=hot.identity, profile=hot.profile, team=hot.team)

    # -- memory ------------------------------------------------------------------------------

    async def _keep(
        self, dna: AgentDNA, history: Sequence[Message], message: Message, *, dry: bool = False
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
            new = self._wished(dna, source, content, private=wish.private)
            known = await self._known(new.content, dna, new.agent)
            kept.append(known or (self.book.made(new) if dry else await self.book.add(new)))
        if self.reconcile is not None and not dry:
            await self.reconcile(PATIENTLY_S if kept else BRIEFLY_S)
        return kept

    def _wished(self, dna: AgentDNA, source: Message, content: str, *, private: bool) -> NewMemory:
        return NewMemory(
            content,
            memory_type="agent_private" if private else "semantic",
            agent=dna.slug if private else None,
            importance=10,
            pinned=True,
            speaker="user",
            source=Source(session=source.session, message_ids=(source.id,)),
            reason="asked to remember",
        )

    async def _known(self, content: str, dna: AgentDNA, owner: str | None) -> Memory | None:
        """The same words, kept before and still standing: told twice is kept once."""
        hot = await self.hot.of(dna.slug, self.settings.general.user)
        for memory in hot.hot:
            same = memory.agent == owner and memory.content.casefold() == content.casefold()
            if same and memory.pinned and memory.status == "active":
                return memory
        return None

    # -- tools and approvals -----------------------------------------------------------------

    def skills(self, dna: AgentDNA) -> list[Skill]:
        """The effective skills that can really be offered."""
        by_name = {s.name: s for s in self.skillbook.skills_lately() if s.loaded and not s.hidden}
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
            Search(query, agent=dna.slug, limit=8, floor=self.settings.memory.relevance_floor)
        )
        return [one.hit for one in found]

    async def _save_for(self, dna: AgentDNA, content: str) -> Memory:
        return await self.book.add(
            NewMemory(
                content,
                agent=dna.slug,
                importance=6,
                source_type="extraction",
                actor=dna.slug,
                reason="the agent's own tool call",
            )
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
