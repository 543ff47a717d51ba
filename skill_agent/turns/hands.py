"""What a turn is given: what it is about, what it can do to the world, and its conversation with
the model as far as that has come.
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from skill_agent.agents.dna import AgentDNA
from skill_agent.events import ApprovalAsked
from skill_agent.identifiers import new_id
from skill_agent.ports import ChatMessage, Disclosure, Model, Tool
from skill_agent.tools.approvals import Decision
from skill_agent.turns.guards.suspicion import Suspicion
from skill_agent.values import ClientTool, Memory, Message, Requester, ToolCall

from .colleagues.nearby import Nearby
from .composition import Composition
from .fitting import Draft, Fit, Tokens
from .known import Kept, Offer, Recollection
from .manner import Manner
from .taint import Taint


async def _nobody() -> Sequence[str]:
    return ()


class Ids(TypedDict):
    """What every event of a turn carries."""

    session: str
    turn: str
    agent: str
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a turn is about: who, where, and the text."""

    session: str
    turn: str
    agent: AgentDNA
    message: Message
    """The user's message, already in the ledger."""
    draft: Draft
    """Everything the prompt could hold, but for what recall finds."""
    fitted: Fit | None = None
    """What of it fits, where that was counted already."""
    response_schema: dict[str, Any] | None = None
    """A JSON schema the reply has to satisfy; then no tool is offered."""
    client_tools: tuple[ClientTool, ...] = ()
    """Of the program that asks: offered in place of the agent's own, and carried out by it."""
    tool_choice: str = "auto"
    """How free the model is to call them."""
    warm: bool = False
    """The person chose the temperature for this reply."""
    parent: str | None = None
    chain: tuple[str, ...] = ()
    """Who asked whom for what, up to this turn."""
    max_tool_calls: int | None = None
    asides: Callable[[], Sequence[str]] = tuple
    """Gives what the person has said since it was last asked, to be read before the next step."""
    reply_id: str = field(default_factory=new_id)
    remembers: bool = True
    """It may look into what is remembered."""

    @property
    def most_calls(self) -> int:
        """Tool calls this turn may make."""
        own = self.agent.boundaries.max_tool_calls_per_turn
        return own if self.max_tool_calls is None else min(own, self.max_tool_calls)

    @property
    def ids(self) -> Ids:
        return Ids(session=self.session, turn=self.turn, agent=self.agent.slug, parent=self.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a turn can do to the world, each as a callable or port."""

    model: Model
    read: Callable[[Message], Awaitable[Manner]]
    """How the message is to be answered."""
    keep: Callable[[Message, Manner], Awaitable[Kept]]
    """Stores what the message asks to be remembered; durable when it returns."""
    recall: Callable[[Message, Sequence[Memory], Manner], Awaitable[Recollection | None]]
    """(message, what it has just put into memory, manner): chooses and keeps the data block; gives
    None where memory is switched off."""
    compute: Callable[[Manner], Awaitable[str]]
    """What code works out of a table that came with the message; "" where none did."""
    offer: Callable[[Manner, Recollection | None], Awaitable[Offer]]
    """Which tools the message may want that is not answered by what is known."""
    decide: Callable[[str, str], Awaitable[Decision]]
    """(approval id, rule) -> what was decided, and by whom."""
    announce: Callable[[ApprovalAsked], None]
    """Opens a question for answers, before it is published."""
    allows: Callable[[str, bool], bool]
    """(rule, tainted): whether a stored rule allows the call."""
    nearby: Nearby
    """The agent's colleagues."""
    approval_timeout_s: float
    reply_timeout_s: float = 600.0
    """The longest one reply of the model may take."""
    others: Callable[[], Awaitable[Sequence[str]]] = _nobody
    """What is known of other persons than the one who asks."""
    taint: Taint = field(default_factory=Taint)
    """Of the prompt, from its start."""
    suspicion: Suspicion = field(default_factory=Suspicion)
    """Of texts of others that speak to the model."""
    asker: Requester | None = None
    """Who asks by an API key; None is the home's own person."""
    left_out: tuple[str, ...] = ()
    """Skills that are part of the agent and that nobody has approved."""
    present: bool = False
    """Somebody is there to be asked."""
    tokens: Tokens = field(default_factory=Tokens)
    compose: Callable[[Composition], None] = lambda _: None
    """Is told what the prompt is made of, before the model is asked."""

    @property
    def asked_by(self) -> str:
        """Whose question it is, where it is not the person's; part of what is asked."""
        return f"asked over the API key {self.asker.name!r}" if self.asker else ""


@dataclass(slots=True)
class Talk:
    """A turn's conversation with its model, as far as it has come."""

    messages: tuple[ChatMessage, ...]
    offer: Offer
    started: float
    calls: int = 0
    """That the model wished for, made or not."""
    failed: bool = False
    """A call failed; a small model would go on trying."""
    useful: bool = False
    """One of the last reply's calls was made."""
    ids: set[str] = field(default_factory=set)
    """Of the calls so far."""
    made: Counter[str] = field(default_factory=Counter)
    """How often each call was wished for, by its name and arguments."""
    disclosed: Disclosure | None = None
    """Credentials the person lets a provider read."""

    def count(self, call: ToolCall) -> None:
        self.calls += 1
        self.made[_as_key(call)] += 1

    def same(self, call: ToolCall) -> int:
        """How often this very call was wished for."""
        return self.made[_as_key(call)]

    @property
    def tools(self) -> Mapping[str, Tool]:
        """Those in play now."""
        own = {**self.offer.tools, **self.offer.then} if self.calls else self.offer.tools
        return {**own, **self._foreign}

    @property
    def callable(self) -> Mapping[str, Tool]:
        """Those that a call may name."""
        return {**self.offer.tools, **self.offer.then, **self._foreign}

    @property
    def _foreign(self) -> Mapping[str, Tool]:
        """Behind the agent's own, which keep their names and the place they have in the prompt."""
        own = {**self.offer.tools, **self.offer.then}
        return {name: one for name, one in self.offer.foreign.items() if name not in own}


def _as_key(call: ToolCall) -> str:
    return f"{call.name} {json.dumps(call.arguments, sort_keys=True, default=str)}"
