"""Builds what a turn may do: keep, recall, tools, approvals, bound to one agent and session.

The only place where memory, skills, tools and approvals meet; a turn sees callables.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.client_context import typed, typed_origins
from skill_agent.errors import ToolFailed
from skill_agent.events import ApprovalAsked
from skill_agent.identifiers import new_id
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.hot import HotCache
from skill_agent.memory.remembrances import Remembrance, is_all, remembrances
from skill_agent.memory.words.when import resolve_dates
from skill_agent.ports import (
    Clock,
    Ledger,
    Model,
    OffersTools,
    TableReader,
    Tool,
    ToolsWanted,
)
from skill_agent.settings.schema import Settings
from skill_agent.skills.book import SkillBook
from skill_agent.skills.tools import SkillTools
from skill_agent.text.clock import said_at
from skill_agent.text.kinds import kind_of
from skill_agent.text.language import language_of
from skill_agent.text.redaction import masked
from skill_agent.text.sameness import same
from skill_agent.text.tables import find_table
from skill_agent.tools.approvals import ApprovalDesk, Decision, RuleBook
from skill_agent.tools.gate.gate import HTTP_GET, Gate
from skill_agent.tools.http import HttpGet
from skill_agent.tools.memory import Remember, SearchMemory
from skill_agent.tools.skills import (
    ACTIVATE,
    OpenSkills,
    UseSkill,
    WithinSkills,
    only_these,
    skill_tools,
    within_open,
)
from skill_agent.values import (
    Hit,
    Memory,
    MemoryFilter,
    Message,
    ModelInfo,
    NewMemory,
    Origin,
    Search,
    Skill,
    SkillTool,
    Source,
    ToolCall,
    TurnRequest,
    all_origins,
)

from .colleagues.nearby import Colleagues, Nearby, Turning
from .fitting import Tokens
from .hands import Hands
from .known import Kept, Offer, Recollection
from .manner import Manner, manner_of
from .prompt import system_layers
from .recollection import Recollector
from .tables import answer_material
from .taint import Taint, origins_by_id

BRIEFLY_S, PATIENTLY_S = 0.1, 2.0
"""How long a turn waits for comparisons; a search, and a turn that just kept something, longer."""

LONGEST_KEPT = 4_000
"""Characters of a text that is kept because the person said "remember this" beside it."""

SURELY = 0.2
"""Lead of a skill from which it is opened at once; below, the model may still answer in words."""

Origins = tuple[Origin, ...]
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
    colleagues: Callable[[], Colleagues | None] = lambda: None
    """The team, which is made after the turns it asks for."""
    foreign: OffersTools | None = None
    """Tools of other programs."""
    active_skills: SkillTools | None = None
    """Skills as tools."""
    reconcile: Reconcile | None = None
    """Sets what was kept lately against what is known, in so many seconds; never raises."""

    def hands(
        self,
        turning: Turning,
        model: Model,
        history: Sequence[Message],
        *,
        earlier: Sequence[Message],
        seen: int,
        dry: bool = False,
    ) -> Hands:
        """Everything one turn of one agent may do.

        `history` is what stands in the prompt, so that nothing of it is recalled again; `earlier`
        is the whole conversation. With `dry` nothing is kept.
        """
        dna, request, taint = turning.agent, turning.request, turning.taint
        recall = partial(self.recollector.recall, dna, model, history, seen, dry=dry)
        keep, asker = partial(self._keep, dna, earlier, dry=dry), request.requester
        if "agent" in request.origins:  # an agent's words ask for nothing to be remembered
            keep = _nothing_kept
        return Hands(
            model=model,
            read=partial(self._read, dna, model, earlier),
            keep=keep if request.keeps else partial(_not_kept, dna),
            recall=recall if request.use_memory else _no_recall,
            compute=partial(self._compute, model),
            offer=partial(self._offer_all, turning, model.info),
            nearby=Nearby(turning=turning, model=model.info, team=self.colleagues(), dry=dry),
            announce=partial(self.announce, request=request),
            asker=asker,
            left_out=tuple(
                one.name for one in self.skillbook.unapproved(dna.craft_skill_names, dna.slug)
            ),
            decide=partial(self.decide, request),
            allows=partial(self.rules.allows, dna.slug),
            present=request.interactive and not dry,
            approval_timeout_s=self.settings.tools.approval_timeout_s,
            reply_timeout_s=self.settings.models.reply_timeout_s,
            tokens=self.tokens,
            others=self._others,
            taint=taint,
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
        layers = system_layers(
            dna,
            profile=profile,
            skills=self.skills(dna),
            crafts=[
                self.skillbook.craft(name, dna.slug, brief=profile.small)
                for name in dna.craft_skill_names
            ],
            identity=hot.identity if hot else (),
        )
        team = self.colleagues()
        told = team.guidelines(model.info) if team else ""
        return {**layers, "team": told} if told else layers

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
        words = masked(manner.typed)  # before letters are changed
        wishes = remembrances(words, manner.language, dna.memory.remember_commands)
        for wish in wishes:
            new = self._wished(dna, wish, message, manner, history)
            if new is None:
                continue
            known = await self._known(new.content, dna, new.agent)
            kept.append(known or (self.book.made(new) if dry else await self.book.add(new)))
        if self.reconcile is not None and not dry:
            await self.reconcile(PATIENTLY_S if kept else BRIEFLY_S)
        return Kept(memories=tuple(kept), whole=is_all(words, wishes) and not manner.beside)

    def _wished(
        self,
        dna: AgentDNA,
        wish: Remembrance,
        message: Message,
        manner: Manner,
        history: Sequence[Message],
    ) -> NewMemory | None:
        """What a person asks to be kept: their words, what they sent with them ("remember this"),
        or what they said before. What others wrote is kept as such."""
        source, content, origins = message, wish.content, typed_origins(message)
        pasted = not content and bool(manner.matter.strip())
        if pasted:
            content = manner.matter.strip()[:LONGEST_KEPT]
            origins = message.origins
        elif not content:
            before = next((one for one in reversed(history) if one.role == "user"), None)
            if before is None or not typed(before).strip():
                return None
            source, content, origins = before, typed(before), typed_origins(before)
        if not pasted:
            content = resolve_dates(content, said_at(source), passing=True)
        return NewMemory(
            masked(content),
            memory_type="agent_private" if wish.private else "semantic",
            agent=dna.slug if wish.private else None,
            importance=10,
            pinned=True,
            speaker="user",
            source=Source(session=source.session, message_ids=(source.id,)),
            origins=origins,
            reason="asked to remember",
        )

    async def _known(self, content: str, dna: AgentDNA, owner: str | None) -> Memory | None:
        """The same words, kept before and still standing: told twice is kept once."""
        hot = await self.hot.of(dna.slug, self.settings.general.user)
        for memory in hot.hot:
            again = memory.agent == owner and same(memory.content, content)
            if again and memory.pinned and memory.status == "active":
                return memory
        return None

    # -- tools and approvals -----------------------------------------------------------------

    def skills(self, dna: AgentDNA) -> list[Skill]:
        """The effective skills that can really be offered; an agent's own craft it has already."""
        names = [one for one in dna.effective_skills if one not in dna.craft_skill_names]
        return self.skillbook.offered(names, dna.slug)

    def tools(
        self,
        dna: AgentDNA,
        turning: Turning | None = None,
        model: ModelInfo | None = None,
        active: Sequence[SkillTool] = (),
    ) -> dict[str, Tool]:
        """The agent's tools for one turn by name, in a stable order; without a turn those it
        usually has. `active` are the skills that are tools of it."""
        request = turning.request if turning else None
        offered = [skill.name for skill in self.skills(dna)]
        names = [*dict.fromkeys([*offered, *(one.skill for one in active)])]
        opened = OpenSkills(self.skillbook, dna.slug)
        tools: list[Tool] = []
        tools.append(
            HttpGet(
                boundaries=dna.boundaries,
                timeout_s=self.settings.tools.http_timeout_s,
                max_bytes=self.settings.tools.http_max_bytes,
            )
        )
        if request is None or request.use_memory:
            tools.append(SearchMemory(search=partial(self._search_for, dna)))
        if request is None or (request.use_memory and request.keeps):
            autonomy = dna.boundaries.max_autonomy
            save = partial(self._save_for, dna, turning.taint if turning else Taint())
            tools.append(Remember(save=save, autonomy=autonomy))
        within = {tool.spec.name: WithinSkills(tool=tool, skills=opened) for tool in tools}
        found = {**skill_tools(opened, names), **within}
        if self.active_skills is not None:
            use = self.active_skills.use
            found |= {one.name: UseSkill(skills=opened, told=one, use=use) for one in active}
        team = self.colleagues()
        if team is not None and model is not None:
            asked = turning or Turning(agent=dna, request=TurnRequest(""))
            given = team.tools(asked, model)
            found |= {name: WithinSkills(tool=tool, skills=opened) for name, tool in given.items()}
        return found

    async def _compute(self, model: Model, manner: Manner) -> str:
        """What code makes of a table beside the words; "" where there is none, or it is broken."""
        if not manner.beside:
            return ""
        table = await asyncio.to_thread(find_table, manner.matter)
        if table is None:
            return ""
        try:
            return await answer_material(self.tables, table, manner.words, model, self.tokens)
        except ToolFailed as problem:
            _log.info("a table could not be computed: %s", problem.message)
            return ""

    async def _offer_all(
        self,
        turning: Turning,
        model: ModelInfo,
        manner: Manner,
        recollection: Recollection | None,
    ) -> Offer:
        """The agent's own tools, and those of other programs that it may use."""
        dna, request = turning.agent, turning.request
        active: Sequence[SkillTool] = ()
        if self.active_skills is not None and not manner.small:
            active = await self.active_skills.tools(dna.slug)
        tools = self.tools(dna, turning, model, active)
        offer = await self._offer(dna, tools, manner, recollection)
        answered = manner.unasked and recollection is not None and recollection.sure
        wants = manner.kind not in ("keep", "chat") and not answered and not offer.first
        if self.foreign is None or not dna.mcp or (manner.small and not wants):
            return offer
        wanted = ToolsWanted(
            agent=dna.slug,
            session=turning.session,
            turn=turning.turn,
            allowed=dna.mcp,
            words=manner.words,
            window=model.context_window,
            small=manner.small,
            interactive=request.interactive,
        )
        foreign = await self.foreign.offered(wanted)
        return replace(offer, foreign=within_open(foreign, tools))

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
        then = only_these(tools, skills)
        if not then:
            return Offer(tools=within)
        opening = then.pop(ACTIVATE)
        sure = ToolCall(id=new_id(), name=ACTIVATE, arguments={"name": skills[0]})
        return Offer(
            tools={ACTIVATE: opening},
            first=sure if found[0].score >= SURELY else None,
            then={**then, **within},
        )

    async def _others(self) -> list[str]:
        """The profiles of other persons than this home's."""
        wanted = MemoryFilter(
            memory_types=("user_profile",), statuses=("active", "disputed"), limit=500
        )
        known = await self.ledger.memories(wanted)
        return [one.content for one in known if one.user not in (None, self.settings.general.user)]

    async def _search_for(self, dna: AgentDNA, query: str) -> tuple[list[Hit], Origins]:
        found = await self.book.search(
            Search(query, agent=dna.slug, limit=8, floor=self.settings.memory.relevance_floor)
        )
        hits = [one.hit for one in found]
        known = {one.memory.id: one.memory for one in found if one.memory}
        wrote = await origins_by_id(self.ledger, hits, known)
        return hits, all_origins(*wrote.values())

    async def _save_for(self, dna: AgentDNA, taint: Taint, content: str) -> Memory:
        return await self.book.add(
            NewMemory(
                content,
                agent=dna.slug,
                importance=6,
                source_type="extraction",
                origins=taint.origins,
                actor=dna.slug,
                reason="the agent's own tool call",
            )
        )

    def announce(self, asked: ApprovalAsked, request: TurnRequest) -> None:
        """Opens a question for answers, before it is published."""
        self.desk.open(asked, asker=request.requester.key if request.requester else None)

    async def decide(self, request: TurnRequest, approval: str, rule: str) -> Decision:
        """Waits for a person; where there is none the answer is no. Stores an "always"."""
        if not request.interactive:
            self.desk.answer(approval, "deny", "no person present")
        decided = await self.desk.wait(approval, self.settings.tools.approval_timeout_s)
        if decided.choice == "always":
            self.rules.add(rule)
        return decided


async def _not_kept(dna: AgentDNA, _message: Message, manner: Manner) -> Kept:
    """Whoever asks may not change what is remembered."""
    asked = remembrances(manner.typed, manner.language, dna.memory.remember_commands)
    return Kept(refused=bool(asked))


async def _nothing_kept(_message: Message, _manner: Manner) -> Kept:
    return Kept()


async def _no_recall(_message: Message, _kept: Sequence[Memory], _manner: Manner) -> None:
    return None
