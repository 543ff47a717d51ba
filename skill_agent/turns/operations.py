"""What can be done with turns and summaries of conversations, as interfaces with their routes."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from skill_agent.events import Event
from skill_agent.route import route
from skill_agent.values import Compaction, ModelCall, Submitted, TurnRequest, TurnState

if TYPE_CHECKING:
    from skill_agent.events.bus import Subscription

States = list[TurnState]  # `list` is a method
Compactions = list[Compaction]
Calls = list[ModelCall]
Slugs = list[str]


class TurnOperations(Protocol):
    """Turns: begun, heard, looked up, stopped."""

    @route("POST", "/v1/turns", scope="chat", status=202, limit="chat", key="key", id="submit")
    async def submit(self, request: TurnRequest | str) -> Submitted:
        """Saves the message and starts its turn; its events are at `/v1/events?turn=`."""
        ...

    def ask(self, request: TurnRequest | str) -> AsyncGenerator[Event, None]:
        """Submits and gives the turn's events until its end; leaving early cancels the turn."""
        ...

    def subscribe(self, *, session: str | None = None, turn: str | None = None) -> "Subscription":
        """Events from now on, or of a whole turn; a context manager and async iterator."""
        ...

    def attending(
        self, *, session: str | None = None, turn: str | None = None
    ) -> AbstractContextManager[None]:
        """While this is open, somebody listens to a turn, a conversation or everything over a
        connection: a turn that the last listener left is given up soon after, unless it was asked
        to stay. In the process of the host only."""
        ...

    @route("POST", "/v1/turns/{turn}/tell", scope="chat", limit="chat", id="tell_turn", once=True)
    async def tell(self, turn: str, text: str) -> bool:
        """Says something to a turn that runs: its model reads it before its next step. False if it
        does not run any more."""
        ...

    async def requester(self, turn: str) -> str | None:
        """The id of the API key that asked for a turn; None for the person's own. In the process
        of the host only."""
        ...

    @route("POST", "/v1/turns/preview", scope="chat", limit="chat", id="preview")
    async def preview(self, request: TurnRequest | str) -> ModelCall:
        """What would be sent to the model: nothing is saved, and no model replies."""
        ...

    @route("GET", "/v1/turns", scope="read", id="turns", formerly="/v1/tasks")
    async def list(self, *, limit: int = 50) -> States:
        """Turns that run, then those that ended lately."""
        ...

    @route("GET", "/v1/turns/{turn}", scope="read", id="turn", formerly="/v1/tasks/{turn}")
    async def get(self, turn: str) -> TurnState:
        """What became of a turn."""
        ...

    @route("GET", "/v1/conversations/{session_id}/turns", scope="read", id="turns_of_session")
    async def of_session(
        self, session_id: str, *, newest: int = 0, beyond: int = -1, most: int = 0
    ) -> States:
        """What became of each turn of a conversation, in order; only of those with a message among
        the `newest` of it, or the `most` that come `beyond` a position."""
        ...

    @route("GET", "/v1/turns/{turn}/prompt", scope="read", id="prompt")
    async def prompt(self, turn: str) -> Calls:
        """The calls of a model that a turn made: the exact messages by layer, what was left out,
        and what came back. Kept for as long as `[privacy]` says."""
        ...

    @route(
        "POST",
        "/v1/turns/{turn}/cancel",
        scope="chat",
        id="cancel",
        formerly="/v1/tasks/{turn}/cancel",
    )
    async def cancel(self, turn: str) -> bool:
        """Stops a turn and waits until it has ended; its partial reply is kept."""
        ...

    @route("POST", "/v1/agents/{agent}/wake", scope="chat", status=202, id="wake")
    async def wake(self, agent: str | None = None, *, model: str | None = None) -> None:
        """Makes an agent's first reply quick, in the background."""
        ...

    @route("POST", "/v1/agents/{agent}/prepare", scope="chat", id="prepare")
    async def prepare(self, agent: str, *, model: str | None = None) -> None:
        """As `wake`, but returns when it is done."""
        ...

    @route("POST", "/v1/team/wake", scope="chat", status=202, id="wake_team")
    async def wake_team(self) -> None:
        """Wakes every active agent in the background, the default one first."""
        ...

    @route("GET", "/v1/team/awake", scope="read", id="awake")
    async def awake(self) -> Slugs:
        """The agents whose instructions this host has read, in the order they were woken."""
        ...


class SummaryOperations(Protocol):
    """What of a conversation stands in its prompts as a summary."""

    @route("GET", "/v1/conversations/{session_id}/compactions", scope="read", id="compactions")
    async def list(self, session_id: str) -> Compactions:
        """What of a conversation stands in its prompts as a summary, the oldest first."""
        ...

    @route("POST", "/v1/conversations/{ref}/compact", scope="chat", id="compact", once=True)
    async def compact(self, ref: str) -> Compaction | None:
        """Sums up all but the newest messages now; null if there is nothing to."""
        ...
