"""A runtime in memory that plays scripted turns: the same calls as the real one, no stores.

Its ids and times are fixed, so that a picture of the screen is the same every time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from stage_book import StageBook, StageFeedback

from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.address import mentioned
from skill_agent.errors import NotFound, SkillAgentError, UsageError
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Choice,
    Event,
    TextDelta,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.events.bus import Bus, Subscription
from skill_agent.settings.schema import Settings
from skill_agent.values import Message, ModelInfo, Session, Submitted, TurnState, Usage

MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

TALK = Session(
    id="talk", title="Deploying on Mondays", agent="kyra", created_at=MORNING, updated_at=MORNING
)
"""Where the memories of the pictures come from."""

TEAM = (
    AgentDNA(slug="kyra", name="Kyra", tagline="Friendly generalist who keeps the thread"),
    AgentDNA(slug="luke", name="Luke", tagline="Terse code reviewer"),
    AgentDNA(slug="ada", name="Ada", tagline="Data, carefully"),
    AgentDNA(slug="max", name="Max", tagline="Marketing", status="paused"),
)


class Ids(TypedDict):
    """What every event of a turn carries."""

    session: str
    turn: str
    agent: str


@dataclass(frozen=True)
class Stop:
    """Waits for the event; a gate in a script."""

    event: asyncio.Event


@dataclass(frozen=True)
class Make:
    """An event but for its ids."""

    kind: type
    fields: dict[str, Any]


def make(kind: type, **fields: Any) -> Make:
    return Make(kind, fields)


Step = str | Stop | Make | SkillAgentError
Script = Sequence[Step]


@dataclass
class StageRuntime:
    """Plays one script a turn; without one left it echoes."""

    scripts: list[Script] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)
    team: Sequence[AgentDNA] = TEAM
    refuse: SkillAgentError | None = None
    memory: StageBook = field(default_factory=StageBook)

    def __post_init__(self) -> None:
        self.feedback = StageFeedback()
        self.bus = Bus()
        self.stored: dict[str, Session] = {}
        self.said: dict[str, list[Message]] = {}
        self.submitted: list[tuple[str, str | None, str | None]] = []
        self.keys: list[str] = []
        self.missed: dict[str, TurnState] = {}
        self.woken: list[str] = []
        self.answers: list[tuple[str, Choice]] = []
        self._asked: dict[str, asyncio.Future[Choice]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def add_session(self, title: str, agent: str, *lines: str) -> Session:
        """A conversation of the past; lines alternate between user and agent."""
        session = Session(
            id=f"session-{len(self.stored)}", title=title, agent=agent,
            created_at=MORNING, updated_at=MORNING + timedelta(minutes=len(self.stored)),
            messages=len(lines),
        )  # fmt: skip
        self.stored[session.id] = session
        for index, text in enumerate(lines):
            role = "assistant" if index % 2 else "user"
            self._say(session.id, f"{session.id}-turn-{index // 2}", role, text, agent)
        return session

    # -- the runtime's calls -----------------------------------------------------------------

    async def agents(self) -> list[AgentDNA]:
        return list(self.team)

    def subscribe(self, *, session: str | None = None, turn: str | None = None) -> Subscription:
        return self.bus.subscribe(session=session, turn=turn)

    async def submit(
        self,
        text: str,
        *,
        session: str | None = None,
        agent: str | None = None,
        key: str = "",
        **_: Any,
    ) -> Submitted:
        self.submitted.append((text, session, agent))
        self.keys.append(key)
        if self.refuse is not None:
            problem, self.refuse = self.refuse, None
            raise problem
        if key in self._tasks:
            return self._before(key)
        slug = agent or (self.stored[session].agent if session else "kyra")
        slug = mentioned(text, [dna.slug for dna in self.team]) or slug
        if session is None:
            session = self.add_session(text[:40], slug).id
        turn = key
        self._say(session, turn, "user", text, slug)
        script = self.scripts.pop(0) if self.scripts else ["You said: ", text]
        ids: Ids = {"session": session, "turn": turn, "agent": slug}
        self._tasks[turn] = asyncio.create_task(self._play(ids, text, script))
        return Submitted(session=session, turn=turn, agent=slug)

    def _before(self, turn: str) -> Submitted:
        """What was given when this turn was submitted for the first time."""
        task = self._task(turn)
        return Submitted(session=task.session, turn=turn, agent=task.agent)

    async def cancel(self, turn: str) -> bool:
        task = self._tasks.get(turn)
        if task is None or task.done():
            return False
        task.cancel()
        await asyncio.wait([task])
        return True

    async def tasks(self, *, limit: int = 50) -> list[TurnState]:
        return [self._task(turn) for turn, work in self._tasks.items() if not work.done()][:limit]

    async def task(self, task: str) -> TurnState:
        if task in self.missed:
            return self.missed[task]
        if task not in self._tasks:
            raise NotFound(f"no turn {task!r}")
        return self._task(task)

    def ended_meanwhile(self, turn: str, session: str, text: str) -> None:
        """A turn that is over without an event."""
        self.missed[turn] = TurnState(
            id=turn, state="finished", session=session, agent="kyra", started_at=MORNING,
            message_id="m", text=text,
        )  # fmt: skip

    def _task(self, turn: str) -> TurnState:
        said = [one for messages in self.said.values() for one in messages if one.turn == turn]
        state = "finished" if self._tasks[turn].done() else "running"
        return TurnState(
            id=turn, state=state, session=said[0].session, agent=said[0].agent or "",
            started_at=MORNING, message_id=said[-1].id, text=said[-1].content,
        )  # fmt: skip

    async def messages_by_id(self, ids: Sequence[str]) -> dict[str, Message]:
        return {one: self.memory.said[one] for one in ids if one in self.memory.said}

    async def answer(self, approval: str, choice: Choice, *, by: str = "person") -> bool:
        self.answers.append((approval, choice))
        waiting = self._asked.pop(approval, None)
        if waiting is None:
            return False
        waiting.set_result(choice)
        return True

    async def wake(self, agent: str | None = None, *, model: str | None = None) -> None:
        self.woken.append(agent or "")

    async def model_info(self, agent: str, model: str | None = None) -> ModelInfo:
        return ModelInfo(name="scripted/small-1.5b", provider="scripted", context_window=8192)

    async def sessions(self, *, limit: int = 50) -> list[Session]:
        newest = sorted(self.stored.values(), key=lambda one: one.updated_at, reverse=True)
        return newest[:limit]

    async def find_session(self, ref: str) -> Session:
        if ref == TALK.id:
            return TALK
        for session in await self.sessions():
            if ref in ("latest", session.id, session.title):
                return session
        raise NotFound(f"there is no session {ref!r}", hint="ska sessions list")

    async def messages(self, session_id: str, *, last: int = 0) -> list[Message]:
        return self.said.get(session_id, [])[-last:]

    async def rename_session(self, ref: str, title: str) -> Session:
        if title == "refused":
            raise UsageError("that title is refused")
        session = await self.find_session(ref)
        self.stored[session.id] = replace(session, title=title)
        return self.stored[session.id]

    async def set_session_agent(self, session_id: str, agent: str) -> None:
        self.stored[session_id] = replace(self.stored[session_id], agent=agent)

    async def close(self) -> None:
        for turn in list(self._tasks):
            await self.cancel(turn)
        self.bus.close()

    # -- playing -----------------------------------------------------------------------------

    def _say(
        self, session: str, turn: str, role: Any, text: str, agent: str, **more: Any
    ) -> Message:
        said = self.said.setdefault(session, [])
        message = Message(
            id=f"message-{session}-{len(said)}", session=session, turn=turn, role=role,
            content=text, created_at=MORNING, agent=agent, position=len(said), **more,
        )  # fmt: skip
        said.append(message)
        return message

    async def _play(self, ids: Ids, text: str, script: Script) -> None:
        said: list[str] = []
        self.bus.publish(TurnStarted(**ids, message_id="m", text=text, model="scripted/small-1.5b"))
        try:
            for step in script:
                match step:
                    case str():
                        said.append(step)
                        self.bus.publish(TextDelta(**ids, text=step))
                    case Stop(event):
                        await event.wait()
                    case Make(kind, fields):
                        await self._publish(kind(**ids, **fields))
                    case SkillAgentError():
                        self._fail(ids, said, "model_failed", step.message, step.hint)
                        return
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._fail(ids, said, "cancelled", "cancelled")
            return
        usage = Usage(
            model="scripted/small-1.5b", prompt_tokens=1240, cached_tokens=1066,
            completion_tokens=len("".join(said)) // 4,
        )  # fmt: skip
        reply = self._say(
            ids["session"], ids["turn"], "assistant", "".join(said), ids["agent"], usage=usage
        )
        self.bus.publish(TurnFinished(**ids, message_id=reply.id, text="".join(said), usage=usage))

    async def _publish(self, event: Event) -> None:
        self.bus.publish(event)
        if isinstance(event, ApprovalAsked):
            self._asked[event.approval] = asyncio.get_running_loop().create_future()
            choice = await self._asked[event.approval]
            ids: Ids = {"session": event.session, "turn": event.turn, "agent": event.agent}
            self.bus.publish(
                ApprovalAnswered(**ids, approval=event.approval, choice=choice, by="person")
            )

    def _fail(self, ids: Ids, said: list[str], reason: Any, message: str, hint: str = "") -> None:
        text = "".join(said)
        if text:
            self._say(ids["session"], ids["turn"], "assistant", text, ids["agent"], state="partial")
        self.bus.publish(TurnFailed(**ids, reason=reason, message=message, hint=hint, text=text))


def opener(runtime: StageRuntime, *, gate: asyncio.Event | None = None) -> Callable[[], Any]:
    """A factory as the app wants it; with a gate, opening takes until it is set."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[StageRuntime]:
        if gate is not None:
            await gate.wait()
        try:
            yield runtime
        finally:
            await runtime.close()

    return opened


def refuser(
    *errors: SkillAgentError, then: StageRuntime, gate: asyncio.Event | None = None
) -> Callable[[], Any]:
    """A factory that fails with each error in turn, and then opens."""
    left = list(errors)

    @asynccontextmanager
    async def opened() -> AsyncIterator[StageRuntime]:
        if gate is not None:
            await gate.wait()
        if left:
            raise left.pop(0)
        yield then

    return opened
