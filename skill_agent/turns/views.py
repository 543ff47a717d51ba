"""What a turn knows of its conversation, and what of that fits into its prompt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.accounts import marks_of
from skill_agent.conversations.client_context import as_read
from skill_agent.memory.remembrances import is_private
from skill_agent.memory.summaries.compaction import after
from skill_agent.ports import Clock, Ledger, Model
from skill_agent.tools.client import Foreign
from skill_agent.values import Message, ModelChoice, Routing, Session, TurnRequest

from .compactor import Compactor, Pressed
from .fitting import Draft, Fit, fit, window_of
from .prompt import system_text
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
    dry: bool = False
    """It is only looked at: nothing of it is kept."""

    @property
    def id(self) -> str:
        return self.message.turn

    @property
    def marks(self) -> dict[str, str]:
        """What the accounts tell its calls apart by."""
        return marks_of(self.decided.routing, self.decided.choice) if self.decided else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a turn knows of its conversation, and what of that fits."""

    messages: Sequence[Message]
    draft: Draft
    fit: Fit


class Views:
    """Looks at conversations for their turns."""

    def __init__(
        self, *, ledger: Ledger, bench: Workbench, clock: Clock, compactor: Compactor | None
    ) -> None:
        self._ledger, self._bench, self._clock = ledger, bench, clock
        self._compactor = compactor

    async def of(self, turn: Turn, *, before: bool) -> View:
        """The conversation as the agent knows it, before the message or with everything so far,
        and what fits of it."""
        messages = await self._ledger.messages(turn.session.id)
        if before:
            at = turn.message.position
            messages = [m for m in messages if m.position < at or m.role != "user"]
        done = await self._compactor.latest(turn.session.id) if self._compactor else None
        rest = heard_by(turn.dna.slug, after(messages, done))
        rest = await still_true(self._ledger, rest, self._clock())
        small = turn.model.info.profile.small  # it is told of none beforehand
        tools = {} if small else self._bench.tools(turn.dna, turn.request)
        if turn.request.client_tools:
            tools = {one.name: Foreign(one) for one in turn.request.client_tools}
        layers = await self._bench.system(turn.dna, turn.model, use_memory=turn.request.use_memory)
        draft = Draft(
            system=system_text(layers),
            layers=layers,
            text=with_wishes(as_read(turn.message), turn.request) if before else "",
            images=len(turn.request.images),
            reserve=min(turn.dna.memory.token_budget, window_of(turn.model) // BLOCK_SHARE) + 64,
            summary=done.summary if done else "",
            history=rest,
            tools=[tool.spec for tool in tools.values()],
            max_messages=self._bench.settings.memory.history_messages,
            max_output=turn.dna.model.max_output_tokens,
        )
        fitted = await fit(draft, turn.model, self._bench.tokens, rough=2)
        return View(messages=messages, draft=draft, fit=fitted)

    def pressed(self, turn: Turn, *, before: bool = False) -> Pressed:
        async def measure() -> tuple[Fit, int]:
            view = await self.of(turn, before=before)
            return view.fit, len(view.draft.history)

        return Pressed(
            session=turn.session.id,
            turn=turn.id,
            agent=turn.dna.slug,
            model=turn.model,
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


def heard_by(agent: str, messages: Sequence[Message]) -> list[Message]:
    """A conversation as one of its agents may know it: what another one recalled, looked up or was
    told between the two of them stays with that one."""
    secret = {m.turn for m in messages if m.role == "user" and is_private(m.content)}
    heard: list[Message] = []
    for message in messages:
        if message.agent in (None, agent):
            heard.append(message)
        elif message.turn not in secret and message.role != "tool" and not message.tool_calls:
            heard.append(replace(message, context="", recalled=()))
    return heard


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
