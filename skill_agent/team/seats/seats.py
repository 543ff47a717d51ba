"""Who takes part in a conversation: as operations, and as turns ask for it.

What is asked for is decided here; how it is written down and told stands in `keeping`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import UsageError
from skill_agent.ports import KeepsSeats, Ledger, Model
from skill_agent.team import operations
from skill_agent.text.beside import parted
from skill_agent.text.checks import sound_text
from skill_agent.text.redaction import masked
from skill_agent.values import (
    Handed,
    Handoff,
    Message,
    Requester,
    Routing,
    SeatChange,
    SeatMoment,
    SeatPlan,
    Session,
    TurnRequest,
)

from .keeping import SeatKeeper
from .planning import among, escalated, handover, leaving, returning, wished
from .seating import (
    Seating,
    moments_of,
    seating_of,
)
from .wishes import seat_wish

LONGEST_REASON = 500
IMPORTANCE = 4
"""Of what is remembered of a handover: it is an event among others."""


class Seats(operations.SeatOperations, KeepsSeats):
    """The seats of one home's conversations."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        directory: AgentDirectory,
        keeper: SeatKeeper,
        find: Callable[[str], Awaitable[Session]],
        model: Callable[[AgentDNA], Awaitable[Model]],
        enabled: bool = True,
    ) -> None:
        """`find` is a conversation by any of its names; `model` is what an agent answers with.
        Without `enabled` nobody is handed anything, and what was is still told."""
        self._ledger, self._directory, self._keeper = ledger, directory, keeper
        self._find, self._model, self._enabled = find, model, enabled

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
                await self._keeper.change(session, SeatChange(move="invited", agent=slug), by=by)
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
                f"{self._keeper.name(agent)} is the only one here",
                hint=f"give the conversation to another: ska sessions handoff {session.id} NAME",
            )
        await self._keeper.change(session, SeatChange(move="left", agent=agent), by=by)
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
        words = await self._keeper.words(session)
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
        gist = await self._keeper.gist(session, change.agent, model=partial(self._model, before))
        moment = await self._keeper.change(session, change, by=by, gist=gist)
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
        told = (await self._keeper.words_of(words, session))["asked"]
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
            words = await self._keeper.words_of(parted(request.text).words, session)
            return returning(routing.agent, seating, reason=words["asked"])
        if seating is not None:
            chosen = among(routing, seating, self._is_active)
            if chosen is not routing:
                return SeatPlan(routing=chosen)
        if routing.escalated_from in (None, routing.agent):
            return None
        if seating is not None and seating.lead != routing.escalated_from:
            return None  # that one never had the conversation: there is nothing to hand over
        return await self._escalated(routing, request, session)

    async def _escalated(
        self, routing: Routing, request: TurnRequest, session: Session | None
    ) -> SeatPlan | None:
        before = self._directory.get(routing.escalated_from or "")
        if not self._is_active(routing.agent):
            return SeatPlan(routing=Routing(agent=before.slug, confidence=1.0, reason="current"))
        words = await self._keeper.words_of(parted(request.text).words, session)
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
                gist = await self._keeper.gist(session, change.agent, before=message)
            kept.append(
                await self._keeper.change(
                    session, change, by=request.requester, gist=gist, message=message
                )
            )
        return kept

    async def handed(self, session: str) -> Sequence[Handed]:
        return await self._keeper.handed(session)

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
