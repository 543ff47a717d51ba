"""A workstation in memory that plays scripted turns: the operations of the real one, no stores.

Its ids and times are fixed, so that a picture of the screen is the same every time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict

from played import played
from stage_agents import (
    StageAgents,
    StageModels,
    StagePrograms,
    StageServers,
    StageSkills,
    StageSkillTools,
    StageTrust,
)
from stage_book import StageBook, StageFeedback, book
from stage_figures import StageFigures
from stage_host import StageHost
from stage_inbox import StageInbox
from stage_jobs import StageJobs
from stage_work import StageBackground, StageTasks, StageTogether

from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.address import mentioned
from skill_agent.conversations.operations import (
    ConversationOperations,
    FoundSessions,
    Messages,
    Sessions,
    Texts,
)
from skill_agent.conversations.turn_states import TurnBoard
from skill_agent.errors import Conflict, NotFound, SkillAgentError, UsageError
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Choice,
    Event,
    QuestionAnswered,
    QuestionAsked,
    TextDelta,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.events.bus import Bus, Subscription
from skill_agent.files.home import Home
from skill_agent.identifiers import iso
from skill_agent.privacy.operations import UserOperations
from skill_agent.questions.operations import ListOfQuestions, QuestionOperations
from skill_agent.settings.config_file import ConfigFile
from skill_agent.settings.schema import Settings
from skill_agent.team.operations import Moments, SeatOperations
from skill_agent.tools.operations import ApprovalOperations
from skill_agent.turns.operations import (
    Calls,
    Compactions,
    States,
    SummaryOperations,
    TurnOperations,
)
from skill_agent.values import (
    Attachment,
    ClientContext,
    FileKind,
    FoundSession,
    Image,
    Message,
    ModelCall,
    Question,
    Session,
    Submitted,
    TurnRequest,
    TurnState,
    Usage,
    WaitingApproval,
)
from skill_agent.workstation import GROUPS, Workstation

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


class StageRuntime(Workstation):
    """Plays one script a turn; without one left it echoes. Its groups keep what they know here."""

    def __init__(
        self,
        scripts: Sequence[Script] = (),
        *,
        settings: Settings | None = None,
        team: Sequence[AgentDNA] = TEAM,
        refuse: SkillAgentError | None = None,
        memory: StageBook | None = None,
        ratings: StageFeedback | None = None,
        conversations: "type[StageConversations] | None" = None,
        groups: Mapping[str, object] | None = None,
    ) -> None:
        """`groups` stand in for those here."""
        self.scripts: list[Script] = list(scripts)
        self.team, self.refuse = team, refuse
        self.hesitates: asyncio.Event | None = None
        """What it waits for before it takes a message."""
        self.book, self.ratings = memory or book(), ratings or StageFeedback()
        self._settings = settings or Settings()
        self.bus, self.board = Bus(), TurnBoard()
        self.stored: dict[str, Session] = {}
        self.said: dict[str, list[Message]] = {}
        self.submitted: list[tuple[str, str | None, str | None]] = []
        self.models_asked: list[str | None] = []
        """The model each message asked for."""
        self.keys: list[str] = []
        self.attached: list[tuple[Attachment, ...]] = []
        """What came with each message."""
        self.prompts: dict[str, list[ModelCall]] = {}
        """What `turns.prompt` gives, by the reply's text; an error raises."""
        self.missed: dict[str, TurnState] = {}
        self.woken: list[str] = []
        self.broken: SkillAgentError | None = None
        """Why conversations cannot be listed."""
        self.answers: list[tuple[str, Choice]] = []
        self.post, self.used = played(StageInbox)(), played(StageFigures)()
        self.given, self.together = played(StageTasks)(), played(StageTogether)()
        self.background = played(StageBackground)()
        self.told: list[str] = []
        """What turns that ran were told."""
        self.hears_no_more = False
        """Turns take in nothing any more."""
        self.shown: list[tuple[Image, ...]] = []
        """The pictures of each message."""
        self.sees = False
        """The model reads images."""
        self.timed = played(StageJobs)()
        self.allowed: list[WaitingApproval] = []
        """Tool calls that wait for somebody, in whichever window."""
        self.personal = played(StageUserData)()
        self.people, self.offered = played(StageAgents)(self), played(StageModels)(self)
        self.shelf = played(StageSkills)()
        self.instead: list[str] = []
        """What is to be done in place of calls."""
        self.questions_asked = played(StageQuestions)(self)
        self.asked: dict[str, asyncio.Future[Choice]] = {}
        self.playing: dict[str, asyncio.Task[None]] = {}
        super().__init__(
            {name: played(type(name, (kind,), {}))() for name, kind in GROUPS.items()}
            | {
                "turns": played(StageTurns)(self),
                "approvals": played(StageApprovals)(self),
                "questions": self.questions_asked,
                "user_data": self.personal,
                "agents": self.people,
                "models": self.offered,
                "skills": self.shelf,
                "skill_tools": played(StageSkillTools)(),
                "routing": played(StageTrust)(),
                "mcp": played(StageServers)(),
                "programs": played(StagePrograms)(),
                "summaries": played(StageSummaries)(),
                "conversations": played(conversations or StageConversations)(self),
                "seats": played(StageSeats)(),
                "tasks": self.given,
                "collaborations": self.together,
                "work": self.background,
                "jobs": self.timed,
                "memory": self.book,
                "feedback": self.ratings,
                "inbox": self.post,
                "figures": self.used,
                "host": played(StageHost)(Path("no-home", "skill-agent.log")),
                "config": ConfigFile(Path("no-home", "config.toml"), {}),
            }
            | {**(groups or {})}
        )

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def home(self) -> Home:
        return Home(Path("/home/ada/.skill-agent"))

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
            self.say(session.id, f"{session.id}-turn-{index // 2}", role, text, agent)
        return session

    def ended_meanwhile(self, turn: str, session: str, text: str) -> None:
        """A turn that is over without an event."""
        self.missed[turn] = TurnState(
            id=turn, state="finished", session=session, agent="kyra", started_at=MORNING,
            message_id="m", text=text,
        )  # fmt: skip

    async def close(self) -> None:
        for turn in list(self.playing):
            await self.turns.cancel(turn)
        self.bus.close()

    # -- playing -----------------------------------------------------------------------------

    def say(
        self, session: str, turn: str, role: Any, text: str, agent: str, **more: Any
    ) -> Message:
        said = self.said.setdefault(session, [])
        message = Message(
            id=f"message-{session}-{len(said)}", session=session, turn=turn, role=role,
            content=text, created_at=MORNING, agent=agent, position=len(said), **more,
        )  # fmt: skip
        said.append(message)
        return message

    async def play(self, ids: Ids, asked: TurnRequest, script: Script) -> None:
        said: list[str] = []
        self.tell(
            TurnStarted(
                **ids, message_id=self._asked_in(ids), text=asked.text, model="scripted/small-1.5b",
                attachments=asked.attachments, at=iso(MORNING),
            )
        )  # fmt: skip
        try:
            for step in script:
                match step:
                    case str():
                        said.append(step)
                        self.tell(TextDelta(**ids, text=step))
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
        reply = self.say(
            ids["session"], ids["turn"], "assistant", "".join(said), ids["agent"], usage=usage
        )
        self.tell(TurnFinished(**ids, message_id=reply.id, text="".join(said), usage=usage))

    def _asked_in(self, ids: Ids) -> str:
        return next(one.id for one in self.said[ids["session"]] if one.turn == ids["turn"])

    def tell(self, event: Event) -> None:
        self.board.heard(event)
        self.bus.publish(event)

    async def _publish(self, event: Event) -> None:
        self.tell(event)
        if isinstance(event, ApprovalAsked):
            self.asked[event.approval] = asyncio.get_running_loop().create_future()
            choice = await self.asked[event.approval]
            ids: Ids = {"session": event.session, "turn": event.turn, "agent": event.agent}
            self.tell(ApprovalAnswered(**ids, approval=event.approval, choice=choice, by="person"))

    def _fail(self, ids: Ids, said: list[str], reason: Any, message: str, hint: str = "") -> None:
        text = "".join(said)
        if text:
            self.say(ids["session"], ids["turn"], "assistant", text, ids["agent"], state="partial")
        self.tell(TurnFailed(**ids, reason=reason, message=message, hint=hint, text=text))


# -- its groups ------------------------------------------------------------------------------


class StageTurns(TurnOperations):
    def __init__(self, stage: StageRuntime) -> None:
        self._stage = stage

    def subscribe(self, *, session: str | None = None, turn: str | None = None) -> Subscription:
        return self._stage.bus.subscribe(session=session, turn=turn)

    async def submit(self, request: TurnRequest | str) -> Submitted:
        asked, stage = TurnRequest(request) if isinstance(request, str) else request, self._stage
        text, turn, session = asked.text, asked.key or "", asked.session
        if stage.hesitates is not None:
            await stage.hesitates.wait()
        stage.submitted.append((text, session, asked.agent))
        stage.keys.append(turn)
        stage.models_asked.append(asked.model)
        if stage.refuse is not None:
            problem, stage.refuse = stage.refuse, None
            raise problem
        if turn in stage.playing:
            before = self._state(turn)
            return Submitted(session=before.session, turn=turn, agent=before.agent)
        slug = asked.agent or (stage.stored[session].agent if session else "kyra")
        slug = mentioned(text, [dna.slug for dna in stage.team]) or slug
        if session is None:
            session = stage.add_session(text[:40], slug).id
        beside = ClientContext(attachments=asked.attachments) if asked.attachments else None
        stage.attached.append(asked.attachments)
        stage.shown.append(asked.images)
        stage.board.began(stage.say(session, turn, "user", text, slug, client_context=beside))
        script = stage.scripts.pop(0) if stage.scripts else ["You said: ", text]
        ids: Ids = {"session": session, "turn": turn, "agent": slug}
        stage.playing[turn] = asyncio.create_task(stage.play(ids, asked, script))
        return Submitted(session=session, turn=turn, agent=slug)

    async def prompt(self, turn: str) -> Calls:
        return self._stage.prompts.get(self._state(turn).text, [])

    async def cancel(self, turn: str) -> bool:
        task = self._stage.playing.get(turn)
        if task is None or task.done():
            return False
        task.cancel()
        await asyncio.wait([task])
        return True

    async def tell(self, turn: str, text: str) -> bool:
        task = self._stage.playing.get(turn)
        if task is None or task.done() or self._stage.hears_no_more:
            return False
        before = self._state(turn)
        self._stage.say(before.session, turn, "user", text, before.agent)
        self._stage.told.append(text)
        return True

    async def list(self, *, limit: int = 50) -> States:
        tasks = self._stage.playing.items()
        return [self._state(turn) for turn, work in tasks if not work.done()][:limit]

    async def get(self, turn: str) -> TurnState:
        if turn in self._stage.missed:
            return self._stage.missed[turn]
        if turn not in self._stage.playing:
            raise NotFound(f"no turn {turn!r}")
        return self._state(turn)

    async def of_session(
        self, session_id: str, *, newest: int = 0, beyond: int = -1, most: int = 0
    ) -> States:
        said = self._stage.said.get(session_id, [])
        found = (self._stage.board.get(turn) for turn in dict.fromkeys(one.turn for one in said))
        return [one for one in found if one]

    async def wake(self, agent: str | None = None, *, model: str | None = None) -> None:
        self._stage.woken.append(agent or "")

    async def wake_team(self) -> None:
        self._stage.woken.append("everyone")

    def _state(self, turn: str) -> TurnState:
        every = self._stage.said.values()
        said = [one for messages in every for one in messages if one.turn == turn]
        state = "finished" if self._stage.playing[turn].done() else "running"
        return TurnState(
            id=turn, state=state, session=said[0].session, agent=said[0].agent or "",
            started_at=MORNING, message_id=said[-1].id, text=said[-1].content,
        )  # fmt: skip


class StageApprovals(ApprovalOperations):
    def __init__(self, stage: StageRuntime) -> None:
        self._stage = stage
        self.stored = ["kyra http_get:api.open-meteo.com"]

    async def waiting(self) -> list[WaitingApproval]:
        return [*self._stage.allowed]

    async def rules(self) -> list[str]:
        return [*self.stored]

    async def revoke(self, rule: str) -> None:
        self.stored.remove(rule)

    async def answer(
        self, approval: str, choice: Choice, *, words: str = "", by: str = "person"
    ) -> bool:
        self._stage.answers.append((approval, choice))
        self._stage.instead += [words] if words else []
        waiting = self._stage.asked.pop(approval, None)
        if known := [one for one in self._stage.allowed if one.id == approval]:
            self._stage.allowed.remove(known[0])
        if waiting is None:
            return bool(known)
        waiting.set_result(choice)
        return True


class StageQuestions(QuestionOperations):
    """Takes the words "yes" and "no", and such with a colon."""

    def __init__(self, stage: StageRuntime) -> None:
        self._stage = stage
        self.waiting: dict[str, Question] = {}
        self.said: list[tuple[str, str]] = []

    async def list(self, *, waiting: bool = True, limit: int = 50) -> ListOfQuestions:
        return list(self.waiting.values())

    def ask(self, one: Question) -> None:
        self.waiting[one.id] = one
        self._stage.bus.publish(QuestionAsked(question=one.id, text=one.text))

    async def answer(self, question: str, words: str, *, by: str = "person") -> Question:
        if question not in self.waiting:
            raise Conflict("this question is settled: cancel (by telegram)")
        if words not in ("yes", "no") and ":" not in words:
            raise UsageError(f"{words!r} does not answer the question", hint="Answer yes or no.")
        self.said.append((question, words))
        one = self.waiting[question]
        self.settle(question, by)
        return one

    def settle(self, question: str, by: str) -> None:
        self.waiting.pop(question, None)
        self._stage.bus.publish(QuestionAnswered(question=question, action="proceed", by=by))


class StageSummaries(SummaryOperations):
    async def list(self, session_id: str) -> Compactions:
        return []


class StageSeats(SeatOperations):
    async def history(self, ref: str) -> Moments:
        return []


class StageUserData(UserOperations):
    def __init__(self) -> None:
        self.written: list[tuple[str, FileKind]] = []

    async def note_written(self, path: str, kind: FileKind) -> None:
        self.written.append((path, kind))


class StageConversations(ConversationOperations):
    def __init__(self, stage: StageRuntime) -> None:
        self._stage = stage

    async def list(
        self,
        *,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
        archived: bool = False,
        pinned: bool = False,
    ) -> Sessions:
        if self._stage.broken is not None:
            raise self._stage.broken
        stored = [
            one
            for one in self._stage.stored.values()
            if before is None or (one.updated_at, one.id) < before
            if one.archived is archived and (one.pinned or not pinned)
        ]
        return sorted(stored, key=lambda one: (one.updated_at, one.id), reverse=True)[:limit]

    async def matching(
        self,
        text: str,
        *,
        limit: int = 50,
        before: tuple[datetime, str] | None = None,
        archived: bool = False,
    ) -> FoundSessions:
        names = {dna.slug: dna.name for dna in self._stage.team}
        found: FoundSessions = []
        most = len(self._stage.stored)
        for one in await self.list(limit=most, before=before, archived=archived):
            titled = f"{one.title} {one.agent} {names.get(one.agent)}".lower()
            said = [
                m.content for m in self._stage.said.get(one.id, []) if text in m.content.lower()
            ]
            if said or all(word in titled for word in text.lower().split()):
                found.append(FoundSession(**asdict(one), hit=said[-1] if said else ""))
        return found[:limit]

    async def search(self, text: str, *, limit: int = 50) -> Messages:
        every = [one for said in self._stage.said.values() for one in said]
        return [one for one in reversed(every) if text.lower() in one.content.lower()][:limit]

    async def find(self, ref: str) -> Session:
        if ref == TALK.id:
            return TALK
        for session in await self.list():
            if ref in ("latest", session.id, session.title):
                return session
        raise NotFound(f"there is no session {ref!r}", hint="ska sessions list")

    async def messages(
        self, session_id: str, *, last: int = 0, after: int = -1, limit: int = 0
    ) -> Messages:
        said = self._stage.said.get(session_id, [])[after + 1 :]
        return said[-last:] if last else said[: limit or None]

    async def rename(self, ref: str, title: str) -> Session:
        if title == "refused":
            raise UsageError("that title is refused")
        session = await self.find(ref)
        self._stage.stored[session.id] = replace(session, title=title)
        return self._stage.stored[session.id]

    async def branch(self, ref: str, *, upto: str = "") -> Session:
        origin = await self.find(ref)
        said = self._stage.said.get(origin.id, [])
        at = next((n for n, one in enumerate(said) if one.id == upto), len(said) - 1)
        made = replace(
            origin,
            id=f"{origin.id}-branch",
            title=f"{origin.title} (branch)",
            messages=at + 1,
            pinned=False,
            branched_from=origin.id,
        )
        self._stage.said[made.id] = [
            replace(one, id=f"{one.id}-copy", session=made.id) for one in said[: at + 1]
        ]
        self._stage.stored[made.id] = made
        return made

    async def pin(self, ref: str, *, pinned: bool = True) -> Session:
        return self._set(ref, pinned=pinned)

    async def archive(self, ref: str, *, archived: bool = True) -> Session:
        return self._set(ref, archived=archived)

    async def delete(self, ref: str) -> Session:
        gone = await self.find(ref)
        del self._stage.stored[gone.id]
        return replace(gone, archived=True)

    def _set(self, ref: str, **marks: bool) -> Session:
        stored = self._stage.stored
        stored[ref] = replace(stored[ref], **marks)
        return stored[ref]

    async def set_agent(self, session_id: str, agent: str) -> None:
        stored = self._stage.stored
        stored[session_id] = replace(stored[session_id], agent=agent)

    async def messages_by_id(self, ids: Texts) -> dict[str, Message]:
        every = (one for messages in self._stage.said.values() for one in messages)
        said = self._stage.book.said | {one.id: one for one in every}
        return {one: said[one] for one in ids if one in said}


# -- opening ---------------------------------------------------------------------------------


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
