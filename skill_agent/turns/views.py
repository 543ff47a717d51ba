"""What a turn knows of its conversation, and what of that fits into its prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.accounts import marks_of
from skill_agent.conversations.client_context import as_read
from skill_agent.memory.summaries.compaction import after
from skill_agent.ports import Clock, KeepsSeats, Ledger, Model
from skill_agent.tools.client import Foreign
from skill_agent.values import (
    Message,
    ModelChoice,
    Routing,
    SeatMoment,
    SeatPlan,
    Session,
    TurnRequest,
)

from .calls import OfTurn
from .colleagues.hearing import Handovers, heard_in
from .colleagues.nearby import Turning
from .compactor import Compactor, Pressed
from .fitting import Draft, Fit, fit, window_of
from .prompt import system_text
from .taint import Taint
from .wishes import with_wishes
from .workbench import Workbench

BLOCK_SHARE = 8
"""Of the window so much (1/8) is kept free for what recall puts beside the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Who answers on which model, and why."""

    routing: Routing
    choice: ModelChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """An agent that may answer, with what it answers on."""

    dna: AgentDNA
    model: Model
    decided: Decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn to run; its user message is in the ledger."""

    request: TurnRequest
    session: Session
    dna: AgentDNA
    model: Model
    message: Message
    seen: int
    """Last ledger sequence before the turn: what recall must know of."""
    decided: Decided | None = None
    plan: SeatPlan | None = None
    """What it changes of who takes part; while `instead` is there, only asked for."""
    instead: Answerer | None = None
    """Who answers if the person agrees."""
    seated: tuple[SeatMoment, ...] = ()
    """What has changed of who takes part, to be told once it has begun."""
    dry: bool = False
    """It is only looked at: nothing of it is kept."""

    @property
    def id(self) -> str:
        return self.message.turn

    @property
    def marks(self) -> dict[str, str]:
        """What the accounts tell its calls apart by."""
        return marks_of(self.decided.routing, self.decided.choice) if self.decided else {}


def turning_of(turn: Turn, taint: Taint | None = None) -> Turning:
    """A turn as its agent's colleagues know it."""
    return Turning(
        agent=turn.dna,
        request=turn.request,
        session=turn.session.id,
        turn=turn.id,
        taint=taint or Taint(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who is to answer a message, and what it changes of who takes part."""

    first: Answerer
    plan: SeatPlan | None = None
    instead: Answerer | None = None

    def turn(self, request: TurnRequest, session: Session, message: Message, *, seen: int) -> Turn:
        return Turn(
            request=request,
            seen=seen,
            session=session,
            dna=self.first.dna,
            model=self.first.model,
            message=message,
            decided=self.first.decided,
            plan=self.plan,
            instead=self.instead,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a turn knows of its conversation, and what of that fits."""

    messages: Sequence[Message]
    draft: Draft
    fit: Fit


class Views:
    """Looks at conversations for their turns."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        bench: Workbench,
        clock: Clock,
        compactor: Compactor | None,
        seats: KeepsSeats | None = None,
        name: Callable[[str], str] = str,
    ) -> None:
        """`seats` knows how a conversation came to its agent; without it a colleague's words stand
        in a prompt like its own. `name` is an agent's by its slug."""
        self._ledger, self._bench, self._clock = ledger, bench, clock
        self._compactor, self._seats, self._name = compactor, seats, name

    async def of(self, turn: Turn, *, before: bool) -> View:
        """The conversation as the agent knows it, before the message or with everything so far,
        and what fits of it."""
        messages = await self._ledger.messages(turn.session.id)
        if before:
            at = turn.message.position
            messages = [m for m in messages if m.position < at or m.role != "user"]
        done = await self._compactor.latest(turn.session.id) if self._compactor else None
        handovers = await self._handovers(turn)
        rest = await heard_in(
            self._ledger,
            turn.dna.slug,
            after(messages, done),
            taken=handovers.taken,
            name=self._name if self._seats else None,
        )
        rest = await still_true(self._ledger, rest, self._clock())
        rest = handovers.beside(rest)
        small = turn.model.info.profile.small  # it is told of none beforehand
        tools = {} if small else self._bench.tools(turn.dna, turning_of(turn), turn.model.info)
        if turn.request.client_tools:
            tools = {one.name: Foreign(one) for one in turn.request.client_tools}
        layers = await self._bench.system(turn.dna, turn.model, use_memory=turn.request.use_memory)
        draft = Draft(
            system=system_text(layers),
            layers=layers,
            text=with_wishes(as_read(turn.message), turn.request) if before else "",
            images=len(turn.request.images),
            told_apart=self._seats is not None,
            handed=handovers.with_newest(rest, turn.message) if before else "",
            reserve=min(turn.dna.memory.token_budget, window_of(turn.model) // BLOCK_SHARE) + 64,
            summary=done.summary if done else "",
            history=rest,
            tools=[tool.spec for tool in tools.values()],
            max_messages=self._bench.settings.memory.history_messages,
            max_output=turn.dna.model.max_output_tokens,
        )
        fitted = await fit(draft, turn.model, self._bench.tokens, rough=2)
        return View(messages=messages, draft=draft, fit=fitted)

    async def _handovers(self, turn: Turn) -> Handovers:
        known = await self._seats.handed(turn.session.id) if self._seats else ()
        return Handovers(turn.dna.slug, known)

    def pressed(self, turn: Turn, *, before: bool = False) -> Pressed:
        async def measure() -> tuple[Fit, int]:
            view = await self.of(turn, before=before)
            return view.fit, len(view.draft.history)

        return Pressed(
            session=turn.session.id,
            turn=turn.id,
            agent=turn.dna.slug,
            model=OfTurn(turn.model, turn.message),
            measure=measure,
            max_messages=self._bench.settings.memory.history_messages,
        )

    async def prepared(self, turn: Turn) -> View:
        """What the turn starts from; sums up the conversation first where that is quick."""
        view = await self.of(turn, before=True)
        if not view.fit.dropped or self._compactor is None or not turn.request.use_memory:
            return view
        done = await self._compactor.make_room(self.pressed(turn, before=True))
        if done is None:
            return view
        await self._bench.book.settle()  # what was kept must be found: it has left the prompt
        return await self.of(turn, before=True)


async def still_true(ledger: Ledger, messages: Sequence[Message], now: datetime) -> list[Message]:
    """The messages, without the data block where a memory in it was replaced, forgotten or has
    expired since: what no longer holds must leave the prompt, and the rest is found again."""
    named = list(dict.fromkeys(one for message in messages for one in message.recalled))
    known = await ledger.memories_by_id(named) if named else {}
    gone = {
        key
        for key, one in known.items()
        if one.status not in ("active", "disputed") or (one.expires_at and one.expires_at <= now)
    }
    return [
        one if gone.isdisjoint(one.recalled) else replace(one, context="", recalled=())
        for one in messages
    ]
