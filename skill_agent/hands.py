"""Builds what a turn may do: keep, recall, tools, approvals, bound to one agent and session.

The only place where memory, skills, tools and approvals meet; a turn sees callables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from .dna import AgentDNA, Settings
from .events import Choice
from .memory.book import MemoryBook, is_reply, only_asks
from .memory.budget import select
from .memory.projector import Projector
from .memory.remember import find_remembrances
from .ports import Clock, Ledger, MemoryFilter, Model, RecallQuery, Tool
from .prompt import Standing, data_block, system_prompt
from .skillbook import SkillBook
from .tools.approvals import ApprovalDesk, RuleBook
from .tools.http import HttpGet
from .tools.memory import Remember, SearchMemory
from .tools.skills import ActivateSkill, ReadSkillFile
from .turn import Hands, Recollection
from .values import Hit, Memory, MemoryType, Message, Scope, Skill, Source

RECALL_LIMIT = 40
"""Hits considered for the budget."""
BUDGET_SHARE, LOCAL_BUDGET_SHARE = 8, 16
"""Recall takes at most this fraction (1/8, 1/16) of the loaded window, whatever the agent asks for.
Half of it on a local model, which reads some 40 tokens a second on a laptop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Makes the `Hands` of each turn."""

    ledger: Ledger
    book: MemoryBook
    projector: Projector
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
        recall = partial(self._recall, dna, model, history, seen)
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

    async def _recall(
        self,
        dna: AgentDNA,
        model: Model,
        history: Sequence[Message],
        seen: int,
        message: Message,
        kept: Sequence[Memory],
    ) -> Recollection:
        """Recalls for a message and keeps the data block with it."""
        await self.projector.settle_briefly(seen)
        floor = self.settings.memory.relevance_floor
        scope = Scope(
            agent=dna.slug,
            user=self.settings.general.user,
            exclude=frozenset({message.id, *(m.id for m in history)}),
        )
        query = RecallQuery(
            text=message.content,
            scope=scope,
            limit=RECALL_LIMIT,
            now=self.clock(),
            current_session=message.session,
            weights=dna.memory.retrieval_weights.model_dump(),
            floor=floor,
        )
        found = await self.book.recall(query)
        hits = _telling([one.hit for one in found if not _is_from(one.memory, message)])
        share = LOCAL_BUDGET_SHARE if model.info.local else BUDGET_SHARE
        window = model.info.context_window or 32_768
        selection = select(
            hits,
            budget=min(dna.memory.token_budget, window // share),
            floor=floor,
            present={item for m in history for item in m.recalled},
        )
        block = data_block(selection.hits, self.clock().astimezone(), kept)
        ids = [hit.item.id for hit in selection.hits]
        data = {"session": message.session, "memories": ids, "block": block}
        await self.ledger.note("recalled", message.id, actor=dna.slug, data=data)
        return Recollection(selection=selection, block=block)

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


def _telling(hits: list[Hit]) -> list[Hit]:
    """Hits that tell a model something: no questions, nothing that already stands in the system
    message, and no earlier reply beside something first-hand, or models come to believe what they
    once made up."""
    told = [hit for hit in hits if hit.item.memory_type != "identity" and not only_asks(hit.item)]
    best = max((hit.score for hit in told if not is_reply(hit.item)), default=0.0)
    return [hit for hit in told if not is_reply(hit.item) or hit.score > best]


def _is_from(memory: Memory | None, message: Message) -> bool:
    """True for what this very message has just put into memory."""
    return memory is not None and message.id in memory.source.message_ids
