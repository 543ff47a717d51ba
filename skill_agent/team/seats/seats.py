"""Who takes part in a conversation: invited, gone, given the lead, and what is told with that.

A change is a note in the ledger, then the conversation's agent is set, then it is told. A crash in
between is made good when the home is opened next.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.client_context import typed
from skill_agent.conversations.seats_told import told_of
from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.events import Event
from skill_agent.identifiers import new_id
from skill_agent.memory.summaries.compaction import KIND as COMPACTED
from skill_agent.ports import Clock, KeepsSeats, Ledger, Model
from skill_agent.team import operations
from skill_agent.text.beside import parted
from skill_agent.text.checks import sound_text
from skill_agent.text.language import language_of
from skill_agent.text.redaction import masked
from skill_agent.turns.colleagues.hearing import heard_in
from skill_agent.values import (
    Handed,
    Handoff,
    Memory,
    Message,
    NewMemory,
    Requester,
    Routing,
    SeatChange,
    SeatMoment,
    SeatPlan,
    Session,
    Source,
    TurnRequest,
)

from .gist import as_block, gist_of
from .planning import among, escalated, handover, leaving, returning, wished
from .seating import (
    HANDOFF,
    SEAT,
    Seating,
    moments_of,
    seating_of,
    texts_of,
    unfinished,
)
from .wishes import seat_wish, words_of

LONGEST_REASON = 500
IMPORTANCE = 4
"""Of what is remembered of a handover: it is an event among others."""

_log = logging.getLogger(__name__)


class Seats(operations.SeatOperations, KeepsSeats):
    """The seats of one home's conversations."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        directory: AgentDirectory,
        find: Callable[[str], Awaitable[Session]],
        remember: Callable[[NewMemory], Awaitable[Memory]],
        model: Callable[[AgentDNA], Awaitable[Model]],
        publish: Callable[[Event], None],
        enabled: bool = True,
    ) -> None:
        """`find` is a conversation by any of its names; `model` is what an agent answers with.
        Without `enabled` nobody is handed anything, and what was is still told."""
        self._ledger, self._clock, self._directory = ledger, clock, directory
        self._find, self._remember, self._model = find, remember, model
        self._publish, self._enabled = publish, enabled

    async def begin(self) -> None:
        """Sets the agents of conversations that went over when the program was ended."""
        for name, agent in (await unfinished(self._ledger)).items():
            try:
                if session := await self._ledger.session(name):
                    await self._finish(session, agent)
            except SkillAgentError as problem:
                _log.warning("%s does not get its agent %s: %s", name, agent, problem.message)

    async def _finish(self, session: Session, agent: str) -> None:
        rows = await self._ledger.log(session.id, kinds=(SEAT,), limit=10_000)
        if rows and (rows[-1].new or {}).get("kept") is True:
            moments = await moments_of(self._ledger, session.id)
            await self._remembered(session, moments[-1])
        await self._ledger.set_session_agent(session.id, agent)

    # -- operations --------------------------------------------------------------------------

    async def list(self, ref: str) -> operations.Seats:
        """Raises NotFound for an unknown conversation."""
        return [*(await self._seating(await self._find(ref))).seats]

    async def history(self, ref: str) -> operations.Moments:
        return await moments_of(self._ledger, (await self._find(ref)).id)

    async def invite(
        self, ref: str, add: operations.Texts, *, by: Requester | None = None
    ) -> operations.Seats:
        """Raises UsageError for a paused agent, NotFound for one there is not."""
        self._check_enabled()
        agents = [self._active(name).slug for name in add]
        if not agents:
            raise UsageError("who is to join?", hint="ska sessions agents REF --add luke")
        session = await self._find(ref)
        here = (await self._seating(session)).seated
        for slug in dict.fromkeys(agents):
            if slug not in here:
                await self._change(session, SeatChange(move="invited", agent=slug), by=by)
        return await self.list(session.id)

    async def leave(self, ref: str, slug: str, *, by: Requester | None = None) -> operations.Seats:
        """Raises UsageError for one that is not there, or is there alone."""
        self._check_enabled()
        session = await self._find(ref)
        agent = slug.removeprefix("@").casefold()
        seating = await self._seating(session)
        if agent not in seating.seated:
            here = ", ".join(seating.seated)
            raise UsageError(f"{slug} does not take part", hint=f"those who do: {here}")
        if leaving(agent, seating) is None:
            raise UsageError(
                f"{self._name(agent)} is the only one here",
                hint=f"give the conversation to another: ska sessions handoff {session.id} NAME",
            )
        await self._change(session, SeatChange(move="left", agent=agent), by=by)
        return await self.list(session.id)

    async def hand_over(
        self, ref: str, to: str, *, reason: str = "", by: Requester | None = None
    ) -> Handoff:
        """Raises UsageError for a paused agent or the one that has it already."""
        self._check_enabled()
        session, agent = await self._find(ref), self._active(to)
        sound_text(reason, "the reason")
        seating = await self._seating(session)
        if agent.slug == seating.lead:
            raise UsageError(
                f"{agent.name} has this conversation already",
                hint=f"ska sessions agents {session.id}",
            )
        words = await self._words(session)
        why = masked(" ".join(reason.split())[:LONGEST_REASON]) or words["asked"]
        plan = handover(seating.lead, agent.slug, why)
        return await self._hand_over(session, plan.changes[0], by=by)

    async def go_back(self, ref: str, *, by: Requester | None = None) -> Handoff:
        """Raises UsageError where it came from nobody."""
        self._check_enabled()
        session = await self._find(ref)
        before = (await self._seating(session)).before
        if before is None:
            raise UsageError(
                "this conversation was not handed over, so there is nobody it goes back to",
                hint=f"ska sessions handoff {session.id} NAME",
            )
        return await self.hand_over(session.id, before, by=by)

    async def _hand_over(
        self, session: Session, change: SeatChange, *, by: Requester | None
    ) -> Handoff:
        before = self._directory.get(change.came_from)
        gist = await self._gist(session, change.agent, model=partial(self._model, before))
        moment = await self._change(session, change, by=by, gist=gist)
        return Handoff(
            id=session.id,
            from_agent=change.came_from,
            to_agent=change.agent,
            reason=change.reason,
            context_summary=gist,
            created_at=moment.at,
        )

    # -- what turns ask ----------------------------------------------------------------------

    async def called_for(self, request: TurnRequest, session: Session) -> SeatPlan | None:
        words = parted(request.text).words
        wish = seat_wish(words, self._names()) if self._enabled else None
        if wish is None or not all(map(self._is_active, wish.agents)):
            return None
        told = (await self._words_of(words, session))["asked"]
        return wished(wish, await self._seating(session), reason=told)

    async def routed(
        self, routing: Routing, request: TurnRequest, session: Session | None
    ) -> SeatPlan | None:
        if not self._enabled or routing.reason == "requested":
            return None
        seating = await self._seating(session) if session else None
        if routing.reason == "user_mention":
            if seating is None or not seating.goes_back_to(routing.agent):
                return None
            words = await self._words_of(parted(request.text).words, session)
            return returning(routing.agent, seating, reason=words["asked"])
        if seating is not None:
            chosen = among(routing, seating, self._is_active)
            if chosen is not routing:
                return SeatPlan(routing=chosen)
        if routing.escalated_from in (None, routing.agent):
            return None
        return await self._escalated(routing, request, session)

    async def _escalated(
        self, routing: Routing, request: TurnRequest, session: Session | None
    ) -> SeatPlan | None:
        before = self._directory.get(routing.escalated_from or "")
        if not self._is_active(routing.agent):
            return SeatPlan(routing=Routing(agent=before.slug, confidence=1.0, reason="current"))
        words = await self._words_of(parted(request.text).words, session)
        reason = words["may_not"].format(came_from=before.name)
        return escalated(routing, before, self._directory.get(routing.agent), reason=reason)

    async def keep(
        self, plan: SeatPlan, message: Message, request: TurnRequest
    ) -> Sequence[SeatMoment]:
        session = await self._find(message.session)
        kept: list[SeatMoment] = []
        for change in plan.changes:
            gist = ""
            if change.move == "leads":
                gist = await self._gist(session, change.agent, before=message)
            kept.append(
                await self._change(
                    session, change, by=request.requester, gist=gist, message=message
                )
            )
        return kept

    async def handed(self, session: str) -> Sequence[Handed]:
        found = await self._ledger.session(session)
        passed = (await self._seating(found)).passed if found else ()
        texts = await texts_of(self._ledger, session) if passed else {}
        return [
            Handed(
                agent=one.agent,
                after=one.after,
                turn=one.turn,
                text=self._block(one.came_from, texts.get(one.id, {})),
            )
            for one in passed
        ]

    # -- keeping -----------------------------------------------------------------------------

    async def _change(
        self,
        session: Session,
        change: SeatChange,
        *,
        by: Requester | None,
        gist: str = "",
        message: Message | None = None,
    ) -> SeatMoment:
        """Written down in the order that a crash at any place leaves nothing half: the words, the
        seat, what is remembered of it, and last the conversation's agent. It is told at once where
        it belongs to no turn; the turn tells it otherwise."""
        seating = await self._seating(session)
        moment = SeatMoment(
            id=new_id(),
            at=self._clock(),
            move=change.move,
            agent=change.agent,
            came_from=change.came_from,
            reason=change.reason,
            turn=message.turn if message else "",
        )
        actor = f"key:{by.key}" if by else "person"
        if change.move == "leads":
            texts = {"reason": change.reason, "context_summary": gist}
            ends = {"from": change.came_from, "to": change.agent}
            data = {"session": session.id, **ends, **texts}
            await self._ledger.note(HANDOFF, moment.id, actor=actor, data=data)
        new_lead = _new_lead(change, seating)
        data = await self._seat_data(session, change, moment, message, seating.lead)
        data["next"] = new_lead if new_lead != session.agent else ""
        data["kept"] = change.move == "leads" and (by is None or by.may("memory"))
        await self._ledger.note(SEAT, session.id, actor=actor, data=data)
        if data["kept"]:
            await self._remembered(session, moment, message.id if message else "")
        if data["next"]:
            await self._ledger.set_session_agent(session.id, new_lead)
        if message is None:
            self._publish(told_of(moment, session.id))
        return moment

    async def _seat_data(
        self,
        session: Session,
        change: SeatChange,
        moment: SeatMoment,
        message: Message | None,
        lead: str,
    ) -> dict[str, object]:
        if message is not None:
            after = message.position - 1
        else:
            last = await self._ledger.messages(session.id, last=1)
            after = last[-1].position if last else -1
        return {
            "session": session.id,
            "id": moment.id,
            "move": change.move,
            "agent": change.agent,
            "from": change.came_from,
            "lead": lead,
            "turn": moment.turn,
            "after": after,
        }

    async def _remembered(self, session: Session, moment: SeatMoment, message: str = "") -> None:
        words = await self._words(session)
        told = words["gone"].format(
            came_from=self._name(moment.came_from),
            agent=self._name(moment.agent),
            reason=moment.reason,
        )
        source = Source(session=session.id, message_ids=(message,) if message else ())
        new = NewMemory(
            told,
            memory_type="episodic",
            importance=IMPORTANCE,
            source=source,
            source_type="system",
            actor="system",
            reason="a conversation was handed over",
            key=moment.id,
        )
        try:
            await self._remember(new)
        except SkillAgentError as problem:  # it went over all the same
            _log.warning("the handover of %s is not remembered: %s", session.id, problem.message)

    async def _gist(
        self,
        session: Session,
        agent: str,
        *,
        before: Message | None = None,
        model: Callable[[], Awaitable[Model]] | None = None,
    ) -> str:
        """What matters of the conversation, of what its new agent may know."""
        messages = await self._ledger.messages(session.id)
        if before is not None:
            messages = [one for one in messages if one.position < before.position]
        taken = {one.turn: one.agent for one in await self.handed(session.id) if one.turn}
        heard = await heard_in(self._ledger, agent, messages, taken=taken)
        rows = await self._ledger.log(session.id, kinds=(COMPACTED,), limit=10_000)
        known = [row.new or {} for row in rows if row.entity == session.id]
        earlier = next((str(one["summary"]) for one in reversed(known) if one.get("summary")), "")
        return await gist_of(heard, earlier, model=model)

    # -- who is who --------------------------------------------------------------------------

    async def _seating(self, session: Session) -> Seating:
        return await seating_of(self._ledger, session)

    def _check_enabled(self) -> None:
        if not self._enabled:
            raise UsageError(
                "handing over is switched off here",
                hint="in config.toml, under [features]: handoff = true",
            )

    def _active(self, name: str) -> AgentDNA:
        """Raises NotFound, or UsageError where it cannot be talked to."""
        dna = self._directory.get(name)
        if dna.status != "active":
            raise UsageError(f"{dna.name} is {dna.status}", hint=f"ska agents activate {dna.slug}")
        return dna

    def _is_active(self, slug: str) -> bool:
        return any(dna.slug == slug for dna in self._directory.list("active"))

    def _names(self) -> Mapping[str, str]:
        team = self._directory.list()
        named = {dna.name.casefold(): dna.slug for dna in team}
        return {**named, **{dna.slug: dna.slug for dna in team}}

    def _name(self, slug: str) -> str:
        known = {dna.slug: dna.name for dna in self._directory.list()}
        return known.get(slug, slug)

    def _block(self, came_from: str, texts: Mapping[str, object]) -> str:
        gist, reason = texts.get("context_summary"), texts.get("reason")
        if not isinstance(gist, str) or not isinstance(reason, str):
            return ""
        return as_block(gist, self._name(came_from), reason)

    async def _words(self, session: Session) -> Mapping[str, str]:
        """How it is told in the conversation's language."""
        said = [one for one in await self._ledger.messages(session.id) if one.role == "user"]
        return await self._words_of(typed(said[-1]) if said else "", None)

    async def _words_of(self, text: str, session: Session | None) -> Mapping[str, str]:
        if session is not None:
            said = await self._ledger.messages(session.id, last=8)
            text = "\n".join([*(typed(one) for one in said if one.role == "user"), text])
        return words_of(await asyncio.to_thread(language_of, text))


def _new_lead(change: SeatChange, seating: Seating) -> str:
    """Who leads after a change."""
    if change.move == "leads":
        return change.agent
    if change.move == "left" and change.agent == seating.lead:
        return next((slug for slug in seating.seated if slug != change.agent), seating.lead)
    return seating.lead
