"""What can be done with a team, as interfaces with their routes."""

from datetime import datetime
from typing import Protocol

from skill_agent.route import route
from skill_agent.values import (
    AgentAvailability,
    AgentMessage,
    AgentProfile,
    AgentTask,
    AgentTrust,
    Collaboration,
    Decision,
    Handoff,
    MessageType,
    ModelAbility,
    NewCollaboration,
    NewTask,
    Recommendation,
    Report,
    ReportRequest,
    Routing,
    RoutingStats,
    Seat,
    SeatMoment,
    SeveralAnswer,
    SeveralPlan,
    SeveralRequest,
    TaskState,
    TurnRequest,
)

Recommendations = list[Recommendation]
Tasks = list[AgentTask]  # `list` is a method
Collaborations = list[Collaboration]
Messages = list[AgentMessage]
Profiles = list[AgentProfile]
Seats = list[Seat]
Moments = list[SeatMoment]
Texts = list[str]


class RoutingOperations(Protocol):
    """Who would answer, and what was decided."""

    @route("POST", "/v1/route", scope="read", limit="search", id="route")
    async def decide(self, request: TurnRequest | str, *, current: str | None = None) -> Routing:
        """Who would answer a message, with the signals of every agent; nothing is begun. `current`
        is the agent that speaks, where that is not the conversation's."""
        ...

    @route("GET", "/v1/agents/recommend", scope="read", limit="search", id="recommend")
    async def recommend(self, query: str, *, limit: int = 3) -> Recommendations:
        """The agents that would answer best, the best first."""
        ...

    @route("GET", "/v1/agents/{slug}/trust", scope="read", id="trust")
    async def trust(self, slug: str) -> AgentTrust:
        """How far an agent has proved itself, as it is weighed where agents are compared."""
        ...

    @route("GET", "/v1/turns/{turn}/decision", scope="read", id="decision")
    async def decision(self, turn: str) -> Decision:
        """Who was chosen for a turn, on which model, and why."""
        ...

    @route("GET", "/v1/moe/routing-stats", scope="read", id="routing_stats")
    async def stats(self, *, since: datetime | None = None) -> RoutingStats:
        """What was decided so far."""
        ...


class StrategyOperations(Protocol):
    """One message for several agents."""

    @route("POST", "/v1/ask-several/plan", scope="chat", limit="chat", id="plan_several")
    async def plan(self, request: SeveralRequest) -> SeveralPlan:
        """Who would answer, and about how long that would take; nothing is begun."""
        ...

    @route("POST", "/v1/ask-several", scope="chat", limit="chat", once=True, id="ask_several")
    async def ask(self, request: SeveralRequest) -> SeveralAnswer:
        """Has several agents answer and waits for what they come to: the best of three, the
        answers of all that fit put together, or that of the first that has one."""
        ...


class TaskOperations(Protocol):
    """Tasks of agents: given, looked up, stopped."""

    @route("POST", "/v1/delegations", scope="chat", status=202, limit="chat", key="key")
    async def delegate(self, new: NewTask) -> AgentTask:
        """Gives a task to an agent and returns at once; its events name it."""
        ...

    @route("GET", "/v1/delegations", scope="read", keyset=("created_at", "id"))
    async def list(
        self,
        *,
        status: TaskState | None = None,
        agent: str | None = None,
        collaboration: str | None = None,
        conversation: str | None = None,
        dead: bool = False,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
    ) -> Tasks:
        """Tasks, the newest first, of one conversation where it is named; `dead`: those that were
        given up."""
        ...

    @route("GET", "/v1/delegations/{task}", scope="read")
    async def get(self, task: str) -> AgentTask:
        """One task by its id, or its beginning."""
        ...

    @route("POST", "/v1/delegations/{task}/cancel", scope="chat")
    async def cancel(self, task: str, *, reason: str = "") -> AgentTask:
        """Stops a task and all that it gave to others; returns once they have ended."""
        ...

    @route("POST", "/v1/delegations/{task}/retry", scope="chat", status=202, once=True)
    async def retry(self, task: str) -> AgentTask:
        """Begins a task anew that failed or was given up."""
        ...

    @route("POST", "/v1/delegations/{task}/tell", scope="chat", once=True)
    async def tell(self, task: str, text: str) -> AgentTask:
        """Says something to the agent that works on a task; it reads it before its next step."""
        ...


class CollaborationOperations(Protocol):
    """Collaborations: planned, begun, looked up, stopped."""

    @route("POST", "/v1/collaborations/plan", scope="chat", limit="chat", id="plan_collaboration")
    async def plan(self, new: NewCollaboration) -> Collaboration:
        """Who would do what, and about how long it would take; nothing is begun."""
        ...

    @route("POST", "/v1/collaborations", scope="chat", status=202, limit="chat", key="key")
    async def start(self, new: NewCollaboration) -> Collaboration:
        """Begins a collaboration and returns at once; its events name it."""
        ...

    @route("GET", "/v1/collaborations", scope="read", keyset=("created_at", "id"))
    async def list(
        self, *, limit: int = 50, before: tuple[datetime, str] | None = None
    ) -> Collaborations:
        """Collaborations, the newest first."""
        ...

    @route("GET", "/v1/collaborations/{collaboration}", scope="read")
    async def get(self, collaboration: str) -> Collaboration:
        """One collaboration by its id, or its beginning."""
        ...

    async def requester(self, collaboration: str) -> str | None:
        """The id of the API key that asked for one; None for the person's own. In the process of
        the host only."""
        ...

    @route("POST", "/v1/collaborations/{collaboration}/cancel", scope="chat")
    async def cancel(
        self, collaboration: str, *, reason: str = "", agent: str | None = None
    ) -> Collaboration:
        """Stops it with all its tasks, or takes one agent out of it; what there is stays. Returns
        once what was stopped has ended."""
        ...

    @route("POST", "/v1/collaborations/{collaboration}/resume", scope="chat", once=True)
    async def resume(self, collaboration: str) -> Collaboration:
        """Goes on after the last stage that was finished."""
        ...


class MailOperations(Protocol):
    """Colleagues, and what they write to one another."""

    @route("GET", "/v1/team/directory", scope="read", id="find_experts")
    async def find_experts(
        self, skills: Texts | None = None, *, exclude: Texts | None = None
    ) -> Profiles:
        """The agents with these skills, the best first."""
        ...

    @route("GET", "/v1/agents/{slug}/availability", scope="read")
    async def availability(self, slug: str) -> AgentAvailability:
        """Whether an agent can take work now."""
        ...

    @route("POST", "/v1/agents/{slug}/message", scope="chat", status=201, once=True)
    async def send(
        self,
        slug: str,
        content: str,
        *,
        message_type: MessageType = "notification",
        channel: str = "direct",
    ) -> AgentMessage:
        """Writes to an agent; `all` reaches every active one."""
        ...

    @route("GET", "/v1/agents/{slug}/inbox", scope="read")
    async def inbox(self, slug: str, *, unread_only: bool = True, limit: int = 10) -> Messages:
        """What was written to an agent, the newest first; looking does not mark it as read."""
        ...

    @route("POST", "/v1/team/abilities", scope="admin", once=True, id="prove_model")
    async def prove(self, model: str | None = None) -> ModelAbility:
        """Tries whether a model knows when to ask a colleague; only then it may by itself."""
        ...


class ReportOperations(Protocol):
    """Reports in sections."""

    @route("POST", "/v1/reports", scope="chat", limit="chat", once=True)
    async def make(self, request: ReportRequest) -> Report:
        """Asks an agent for a report; missing sections are asked for once more."""
        ...


class SeatOperations(Protocol):
    """Who takes part in a conversation."""

    @route("GET", "/v1/conversations/{ref}/agents", scope="read")
    async def list(self, ref: str) -> Seats:
        """The agents of a conversation, also those that left: one seat a stay."""
        ...

    @route("GET", "/v1/conversations/{ref}/agents/history", scope="read")
    async def history(self, ref: str) -> Moments:
        """Who was invited, joined, left and was given the conversation, the oldest first."""
        ...

    @route("POST", "/v1/conversations/{ref}/agents", scope="chat")
    async def invite(self, ref: str, add: Texts) -> Seats:
        """Brings agents into a conversation; those that are there already stay."""
        ...

    @route("DELETE", "/v1/conversations/{ref}/agents/{slug}", scope="chat", once=True)
    async def leave(self, ref: str, slug: str) -> Seats:
        """Takes an agent out of a conversation; the next one leads where it led."""
        ...

    @route("POST", "/v1/conversations/{ref}/handoff", scope="chat", once=True)
    async def hand_over(self, ref: str, to: str, *, reason: str = "") -> Handoff:
        """Gives a conversation to another agent, with a summary of what matters."""
        ...

    @route("POST", "/v1/conversations/{ref}/return", scope="chat", once=True)
    async def go_back(self, ref: str) -> Handoff:
        """Gives a conversation back to the agent it came from."""
        ...
