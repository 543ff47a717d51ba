"""Builds what a turn may do: keep, recall, tools, approvals, bound to one agent and session.

The only place where memory, skills, tools and approvals meet; a turn sees callables.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import ToolFailed
from skill_agent.events import Choice
from skill_agent.identifiers import new_id
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.hot import HotCache
from skill_agent.memory.remembrances import is_all, remembrances
from skill_agent.ports import Clock, Ledger, Model, TableReader, Tool
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.text.kinds import kind_of
from skill_agent.text.language import language_of
from skill_agent.text.redaction import masked
from skill_agent.text.tables import find_table
from skill_agent.tools.approvals import ApprovalDesk, RuleBook
from skill_agent.tools.gate.gate import HTTP_GET, Gate
from skill_agent.tools.http import HttpGet
from skill_agent.tools.memory import Remember, SearchMemory
from skill_agent.tools.skills import ActivateSkill, ReadSkillFile
from skill_agent.values import Hit, Memory, Message, NewMemory, Search, Skill, Source, ToolCall

from .fitting import Tokens
from .hands import Hands
from .known import Kept, Offer, Recollection
from .manner import Manner, manner_of
from .prompt import system_layers
from .recollection import Recollector
from .tables import answer_material

BRIEFLY_S, PATIENTLY_S = 0.1, 2.0
"""How long a turn waits for comparisons; a search, and a turn that just kept something, longer."""

SURELY = 0.2
"""Lead of a skill from which it is opened at once; below, the model may still answer in words."""

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
    gate: Gate
    tables: TableReader
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
        dry: bool = False,
    ) -> Hands:
        """Everything one turn of one agent may do.

        `history` is what stands in the prompt, so that nothing of it is recalled again; `earlier`
        is the whole conversation. With `dry` nothing is kept.
        """
        recall = partial(self.recollector.recall, dna, model, history, seen, dry=dry)
        return Hands(
            model=model,
            read=partial(self._read, dna, model, earlier),
            keep=partial(self._keep, dna, earlier, dry=dry),
            recall=recall if use_memory else _no_recall,
            compute=partial(self._compute, model),
            offer=partial(self._offer, dna, self.tools(dna, use_memory=use_memory)),
            announce=self.desk.open,
            decide=partial(self._decide, dna.slug, interactive),
            allows=partial(self.rules.allows, dna.slug),
            present=interactive and not dry,
            approval_timeout_s=self.settings.tools.approval_timeout_s,
            tokens=self.tokens,
        )

    async def warm(self, model: Model) -> None:
        """What reading a small model's messages needs, ahead of the first one: seconds of work."""
        if model.info.profile.small:
            await asyncio.to_thread(lambda: (language_of("hello"), kind_of("hello")))
            await self.gate.warm()

    # -- the system message ------------------------------------------------------------------

    async def system(
        self, dna: AgentDNA, model: Model, *, use_memory: bool = True
    ) -> dict[str, str]:
        """The static layers of the prompt as they stand now, for such a model."""
        profile = model.info.profile
        hot = await self.hot.of(dna.slug, self.settings.general.user) if use_memory else None
        return system_layers(
            dna,
            profile=profile,
            skills=self.skills(dna),
            crafts=[
                self.skillbook.craft(name, brief=profile.small) for name in dna.craft_skill_names
            ],
            identity=hot.identity if hot else (),
        )

    # -- memory ------------------------------------------------------------------------------

    async def _read(
        self, dna: AgentDNA, model: Model, earlier: Sequence[Message], message: Message
    ) -> Manner:
        """Told nothing of a large model's message, but its language for what code has to say."""
        return await asyncio.to_thread(manner_of, message, earlier, dna, model.info.profile)

    async def _keep(
        self,
        dna: AgentDNA,
        history: Sequence[Message],
        message: Message,
        manner: Manner,
        *,
        dry: bool = False,
    ) -> Kept:
        """Stores what the message asks to be remembered; "remember this" means the one before."""
        kept: list[Memory] = []
        text, words = masked(message.content), masked(manner.words)  # before letters are changed
        wishes = remembrances(text, words, manner.language, dna.memory.remember_commands)
        for wish in wishes:
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
        return Kept(memories=tuple(kept), whole=is_all(text, wishes))

    def _wished(self, dna: AgentDNA, source: Message, content: str, *, private: bool) -> NewMemory:
        return NewMemory(
            masked(content),
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
        """The effective skills that can really be offered; an agent's own craft it has already."""
        by_name = {s.name: s for s in self.skillbook.skills_lately() if s.loaded and not s.hidden}
        names = (one for one in dna.effective_skills if one not in dna.craft_skill_names)
        return [by_name[name] for name in names if name in by_name]

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

    async def _compute(self, model: Model, message: Message, manner: Manner) -> str:
        """What code makes of a table beside the words; "" where there is none, or it is broken."""
        if not manner.beside:
            return ""
        table = await asyncio.to_thread(find_table, message.content)
        if table is None:
            return ""
        try:
            return await answer_material(self.tables, table, manner.words, model, self.tokens)
        except ToolFailed as problem:
            _log.info("a table could not be computed: %s", problem.message)
            return ""

    async def _offer(
        self,
        dna: AgentDNA,
        tools: Mapping[str, Tool],
        manner: Manner,
        recollection: Recollection | None,
    ) -> Offer:
        """All of them to a model that chooses well; to a small one only what is in play.

        What a message surely wants is called at once, without asking the model.
        """
        if not manner.small:
            return Offer(tools=tools)
        answered = manner.unasked and recollection is not None and recollection.sure
        if answered or manner.kind == "keep":
            return Offer()
        names = [skill.name for skill in self.skills(dna)]
        found = await self.gate.plausible(
            manner.words,
            offered=[*names, HTTP_GET],
            beside=manner.beside,
            wants=manner.kind in ("ask", "do"),
        )
        if not found:
            return Offer()
        skills = [one.name for one in found if one.name != HTTP_GET]
        within: dict[str, Tool] = {HTTP_GET: tools[HTTP_GET]}
        if not skills:
            return Offer(tools=within)
        opening: Tool = ActivateSkill(book=self.skillbook, names=skills)
        reading: Tool = ReadSkillFile(book=self.skillbook, names=skills)
        offered = {opening.spec.name: opening}
        sure = ToolCall(id=new_id(), name=opening.spec.name, arguments={"name": skills[0]})
        return Offer(
            tools=offered,
            first=sure if found[0].score >= SURELY else None,
            then={reading.spec.name: reading, **within},
        )

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


async def _no_recall(_message: Message, _kept: Sequence[Memory], _manner: Manner) -> None:
    return None
