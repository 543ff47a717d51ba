"""Writing down who takes part in a conversation, and what is told and remembered of it.

A change is a note in the ledger, then the conversation's agent is set, then it is told. A crash in
between is made good when the home is opened next.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from skill_agent.agents.directory import AgentDirectory
from skill_agent.conversations.client_context import typed
from skill_agent.conversations.seats_told import told_of
from skill_agent.errors import SkillAgentError
from skill_agent.events import Event
from skill_agent.identifiers import new_id
from skill_agent.memory.summaries.compaction import KIND as COMPACTED
from skill_agent.ports import Clock, Ledger, Model
from skill_agent.text.language import language_of
from skill_agent.turns.colleagues.hearing import heard_in
from skill_agent.values import (
    Handed,
    Memory,
    Message,
    NewMemory,
    Requester,
    SeatChange,
    SeatMoment,
    Session,
    Source,
)

from .gist import as_block, gist_of
from .seating import HANDOFF, SEAT, SEATED, Seating, moments_of, seating_of, texts_of, unfinished
from .wishes import words_of

IMPORTANCE = 4
"""Of what is remembered of a handover: it is an event among others."""
_MOST = 10_000

_log = logging.getLogger(__name__)


class SeatKeeper:
    """Keeps the seats of one home's conversations."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        directory: AgentDirectory,
        remember: Callable[[NewMemory], Awaitable[Memory]],
        publish: Callable[[Event], None],
    ) -> None:
        self._ledger, self._clock, self._directory = ledger, clock, directory
        self._remember, self._publish = remember, publish

    async def begin(self) -> None:
        """Sets the agents of conversations that went over when the program was ended."""
        for name, agent in (await unfinished(self._ledger)).items():
            try:
                if session := await self._ledger.session(name):
                    await self._finish(session, agent)
            except SkillAgentError as problem:
                _log.warning("%s does not get its agent %s: %s", name, agent, problem.message)

    async def _finish(self, session: Session, agent: str) -> None:
        rows = await self._ledger.log(session.id, kinds=(SEAT,), limit=_MOST)
        if rows and (rows[-1].new or {}).get("kept") is True:
            moments = await moments_of(self._ledger, session.id)
            await self._remembered(session, moments[-1])
        if agent in self._directory.slugs:
            await self._lead(session.id, agent)

    async def _lead(self, session: str, agent: str) -> None:
        await self._ledger.set_session_agent(session, agent)
        await self._ledger.note(SEATED, session, actor="system", data={"session": session})

    async def handed(self, session: str) -> Sequence[Handed]:
        found = await self._ledger.session(session)
        passed = (await seating_of(self._ledger, found)).passed if found else ()
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

    async def change(
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
        seating = await seating_of(self._ledger, session)
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
        data = await self._seat_data(
            session, change, moment, message, change.came_from or seating.lead
        )
        data["next"] = new_lead if new_lead != session.agent else ""
        data["kept"] = change.move == "leads" and (by is None or by.may("memory"))
        await self._ledger.note(SEAT, session.id, actor=actor, data=data)
        if data["kept"]:
            await self._remembered(session, moment, message.id if message else "")
        if data["next"]:
            await self._lead(session.id, new_lead)
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
        words = await self.words(session)
        told = words["gone"].format(
            came_from=self.name(moment.came_from),
            agent=self.name(moment.agent),
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

    async def gist(
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
        rows = await self._ledger.log(session.id, kinds=(COMPACTED,), limit=_MOST)
        known = [row.new or {} for row in rows if row.entity == session.id]
        earlier = next((str(one["summary"]) for one in reversed(known) if one.get("summary")), "")
        return await gist_of(heard, earlier, model=model)

    def name(self, slug: str) -> str:
        known = {dna.slug: dna.name for dna in self._directory.list()}
        return known.get(slug, slug)

    def _block(self, came_from: str, texts: Mapping[str, object]) -> str:
        gist, reason = texts.get("context_summary"), texts.get("reason")
        if not isinstance(gist, str) or not isinstance(reason, str):
            return ""
        return as_block(gist, self.name(came_from), reason)

    async def words(self, session: Session) -> Mapping[str, str]:
        """How it is told in the conversation's language."""
        said = [one for one in await self._ledger.messages(session.id) if one.role == "user"]
        return await self.words_of(typed(said[-1]) if said else "", None)

    async def words_of(self, text: str, session: Session | None) -> Mapping[str, str]:
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
