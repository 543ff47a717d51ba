"""A workstation as the holder of an API key may use it.

Which operations a key may call is said by their scopes; here is what it may reach through them:
its own conversations unless it has `read`, its own turns' approvals, no standing rule.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from skill_agent.conversations.requesters import OwnConversations
from skill_agent.delivery.inbox import MOST, nothing_of
from skill_agent.errors import Forbidden, NotFound, UsageError
from skill_agent.events import Choice, Event
from skill_agent.files.home import Home
from skill_agent.jobs.operations import ListOfFindings, ListOfJobs, ListOfRuns
from skill_agent.skills.activations import OF_CLIENTS
from skill_agent.team.operations import Moments, Seats, Texts
from skill_agent.values import (
    AgentMessage,
    AgentTask,
    Collaboration,
    Compaction,
    Handoff,
    InboxItem,
    Job,
    JobRun,
    Memory,
    Message,
    ModelCall,
    NewCollaboration,
    NewJob,
    NewTask,
    NewWork,
    Question,
    Report,
    ReportRequest,
    Requester,
    Session,
    SeveralAnswer,
    SeveralPlan,
    SeveralRequest,
    SkillActivation,
    Submitted,
    TurnRequest,
    TurnState,
    WaitingApproval,
    Work,
    all_origins,
)
from skill_agent.workstation import GROUPS, Operation, Workstation

if TYPE_CHECKING:
    from skill_agent.settings.schema import Settings


class Confined(Workstation):
    """The same home, reached by an API key."""

    def __init__(self, station: Workstation, by: Requester) -> None:
        self._station = station
        groups = {name: getattr(station, name) for name in GROUPS}
        conversations = _Conversations(station, by)
        groups |= {
            "turns": _Turns(station, by, conversations.find),
            "conversations": conversations,
            "summaries": _Summaries(station, conversations.find),
            "approvals": _Approvals(station, by),
            "tasks": _Tasks(station, by),
            "collaborations": _Collaborations(station, by, conversations.find),
            "seats": _Seats(station, by, conversations.find),
            "strategies": _Strategies(station, by),
            "mail": _Mail(station, by),
            "reports": _Reports(station, by),
            "jobs": _Jobs(station, by),
            "inbox": _Inbox(station, by),
            "work": _Work(station, by),
            "questions": _Questions(station, by),
            "skill_tools": _SkillTools(station, by),
            "memory": _Memory(station, by),
        }
        super().__init__(groups)

    @property
    def home(self) -> Home:
        return self._station.home

    @property
    def settings(self) -> "Settings":
        return self._station.settings


class _Group:
    """A group of operations; what is not said anew in a class below is as it was."""

    def __init__(self, group: Any) -> None:
        self._group = group

    def __getattr__(self, name: str) -> Any:
        return getattr(self._group, name)


class _Conversations(_Group):
    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.conversations)
        everything = by.may("read")
        self._own: OwnConversations | None = (
            None if everything else station.conversations.own(by.key)
        )

    async def find(self, ref: str) -> Session:
        return await (self._own or self._group).find(ref)

    async def messages(self, session_id: str, **where: int) -> list[Message]:
        if self._own is not None:
            await self._own.find(session_id)
        return await self._group.messages(session_id, **where)

    async def search(self, text: str, *, limit: int = 50) -> list[Message]:
        return await (self._own or self._group).search(text, limit=limit)

    async def rename(self, ref: str, title: str) -> Session:
        return await self._group.rename((await self.find(ref)).id, title)

    async def branch(self, ref: str, *, upto: str = "") -> Session:
        found = await self.find(ref)
        if self._own is None:
            return await self._group.branch(found.id, upto=upto)
        return await self._group.find(await self._own.branch(found.id, upto=upto))

    async def pin(self, ref: str, *, pinned: bool = True) -> Session:
        return await self._group.pin((await self.find(ref)).id, pinned=pinned)

    async def archive(self, ref: str, *, archived: bool = True) -> Session:
        return await self._group.archive((await self.find(ref)).id, archived=archived)

    async def delete(self, ref: str) -> Session:
        return await self._group.delete((await self.find(ref)).id)

    async def set_agent(self, session_id: str, agent: str) -> None:
        if self._own is not None:
            await self._own.find(session_id)
        await self._group.set_agent(session_id, agent)


class _Summaries(_Group):
    def __init__(self, station: Workstation, find: Callable[[str], Any]) -> None:
        super().__init__(station.summaries)
        self._find = find

    async def compact(self, ref: str) -> Compaction | None:
        return await self._group.compact((await self._find(ref)).id)


class _Seats(_Group):
    def __init__(self, station: Workstation, by: Requester, find: Callable[[str], Any]) -> None:
        super().__init__(station.seats)
        self._by, self._find = by, find

    async def list(self, ref: str) -> Seats:
        return await self._group.list((await self._find(ref)).id)

    async def history(self, ref: str) -> Moments:
        return await self._group.history((await self._find(ref)).id)

    async def invite(self, ref: str, add: Texts) -> Seats:
        return await self._group.invite((await self._find(ref)).id, add, by=self._by)

    async def leave(self, ref: str, slug: str) -> Seats:
        return await self._group.leave((await self._find(ref)).id, slug, by=self._by)

    async def hand_over(self, ref: str, to: str, *, reason: str = "") -> Handoff:
        session = (await self._find(ref)).id
        return await self._group.hand_over(session, to, reason=reason, by=self._by)

    async def go_back(self, ref: str) -> Handoff:
        return await self._group.go_back((await self._find(ref)).id, by=self._by)


class _Mail(_Group):
    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.mail)
        self._by = by

    async def send(self, slug: str, content: str, **more: Any) -> AgentMessage:
        """What comes by a key that may not change what is remembered is not the person's word."""
        if self._by.may("memory"):
            return await self._group.send(slug, content, **more)
        return await self._group.sent(slug, content, **more, origins=("client",))


class _Reports(_Group):
    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.reports)
        self._by = by

    async def make(self, request: ReportRequest) -> Report:
        """In the key's own name: its agent knows what the key may know. As with mail, the words of
        a key that may not change what is remembered are not the person's."""
        if not self._by.may("memory"):
            request = replace(request, origins=all_origins(("client",), request.origins))
        return await self._group.make(replace(request, requester=self._by))


class _Inbox(_Group):
    """What is private is there for a key with `admin` alone."""

    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.inbox)
        self._by = by

    async def list(
        self, *, unread: bool = False, archived: bool = False, limit: int = 50
    ) -> list[InboxItem]:
        many = limit if self._by.may("admin") else MOST
        found = await self._group.list(unread=unread, archived=archived, limit=many)
        return [one for one in found if self._may_see(one)][: max(0, limit)]

    async def get(self, item: str) -> InboxItem:
        """Raises NotFound for a private one."""
        found = await self._group.get(item)
        if not self._may_see(found):
            raise nothing_of(item)
        return found

    async def read(self, item: str, *, read: bool = True) -> InboxItem:
        """Raises as `get` does."""
        return await self._group.read((await self.get(item)).id, read=read)

    def _may_see(self, item: InboxItem) -> bool:
        return not item.private or self._by.may("admin")


class _Turns(_Group):
    def __init__(self, station: Workstation, by: Requester, find: Callable[[str], Any]) -> None:
        super().__init__(station.turns)
        self._by, self._find = by, find

    async def submit(self, request: TurnRequest | str) -> Submitted:
        """Raises NotFound for a conversation, and Forbidden for a turn's key, of somebody else."""
        asked = await self._asked(request)
        if asked.key is not None:
            await self._check(asked.key.lower())
        return await self._group.submit(asked)

    async def get(self, turn: str) -> TurnState:
        """Raises NotFound for a turn that another asked for, unless all may be read."""
        found = await self._group.get(turn)
        if not self._by.may("read") and await self._group.requester(turn) != self._by.key:
            raise NotFound(f"there is no turn {turn} of this key")
        return found

    async def of_session(
        self, session_id: str, *, newest: int = 0, beyond: int = -1, most: int = 0
    ) -> list[TurnState]:
        found = await self._find(session_id)
        return await self._group.of_session(found.id, newest=newest, beyond=beyond, most=most)

    async def ask(self, request: TurnRequest | str) -> AsyncGenerator[Event, None]:
        """Raises as `submit` does."""
        asked = await self._asked(request)
        if asked.key is not None:
            await self._check(asked.key.lower())
        async with aclosing(self._group.ask(asked)) as events:
            async for event in events:
                yield event

    async def preview(self, request: TurnRequest | str) -> ModelCall:
        return await self._group.preview(await self._asked(request))

    async def cancel(self, turn: str) -> bool:
        """Raises Forbidden for a turn that another asked for."""
        await self._check(turn)
        return await self._group.cancel(turn)

    async def tell(self, turn: str, text: str) -> bool:
        """Raises Forbidden for a turn that another asked for."""
        await self._check(turn)
        return await self._group.tell(turn, text)

    async def _asked(self, request: TurnRequest | str) -> TurnRequest:
        request = TurnRequest(request) if isinstance(request, str) else request
        session = (await self._find(request.session)).id if request.session else None
        if request.folder and not self._by.may("admin"):
            raise Forbidden(
                'to name a folder for an agent to work in takes the scope "admin"',
                hint="leave out folder, or begin the conversation on the machine itself",
            )
        recalls = request.use_memory and self._by.may("read", "memory")
        return replace(request, session=session, use_memory=recalls, requester=self._by)

    async def _check(self, turn: str) -> None:
        if self._by.may("admin"):
            return
        try:
            await self._group.get(turn)
        except NotFound:
            return
        if await self._group.requester(turn) != self._by.key:
            raise Forbidden(
                "this turn was asked for by somebody else", hint='only "admin" may do this'
            )


class _Tasks(_Group):
    """A key gives tasks in its own name, and steers those alone."""

    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.tasks)
        self._by = by

    async def delegate(self, new: NewTask) -> AgentTask:
        """Raises Forbidden for a task's key of somebody else, or another's results."""
        if new.key is not None:
            with suppress(NotFound):
                await self._mine(new.key)
        if not self._by.may("read"):
            for one in new.input_artifacts:
                await self._mine(one)
        return await self._group.delegate(replace(new, requester=self._by))

    async def cancel(self, task: str, *, reason: str = "") -> AgentTask:
        return await self._group.cancel(await self._mine(task), reason=reason)

    async def retry(self, task: str) -> AgentTask:
        return await self._group.retry(await self._mine(task))

    async def tell(self, task: str, text: str) -> AgentTask:
        return await self._group.tell(await self._mine(task), text)

    async def _mine(self, task: str) -> str:
        """Its id; raises Forbidden for a task that another asked for."""
        found = await self._group.get(task)
        if not self._by.may("admin") and found.by != self._by.key:
            raise Forbidden(
                "this task was asked for by somebody else", hint='only "admin" may do this'
            )
        return found.id


class _Jobs(_Group):
    """A key sees the jobs that it made, with `admin` all; changing any takes `admin`."""

    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.jobs)
        self._by = by

    async def list(self) -> ListOfJobs:
        return await self._group.list(requester=self._by)

    async def add(self, new: NewJob) -> Job:
        return await self._group.add(replace(new, requester=self._by))

    async def get(self, job: str) -> Job:
        return await self._group.get(job, requester=self._by)

    async def history(self, job: str, *, limit: int = 50) -> ListOfRuns:
        return await self._group.history(job, limit=limit, requester=self._by)

    async def get_run(self, run: str) -> JobRun:
        return await self._group.get_run(run, requester=self._by)

    async def doctor(self) -> ListOfFindings:
        """Of the jobs it sees."""
        seen = {one.id for one in await self.list()}
        return [one for one in await self._group.doctor() if one.id in seen]


class _Approvals(_Group):
    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.approvals)
        self._by = by

    async def waiting(self) -> list[WaitingApproval]:
        found = await self._group.waiting()
        if self._by.may("admin"):
            return found
        return [one for one in found if self._group.asker(one.id) == self._by.key]

    async def answer(self, approval: str, choice: Choice, *, words: str = "", by: str = "") -> bool:
        """Raises Forbidden for a standing rule. A key's own question is denied by that, for whoever
        asked for too much may well not ask again, and the turn would wait for long."""
        admin = self._by.may("admin")
        mine = admin or self._group.asker(approval) == self._by.key
        if choice == "always" and not admin:
            denied = mine and await self._group.answer(approval, "deny", by=self._by.name)
            told = "the call was denied; next time " if denied else ""
            raise Forbidden(
                '"always" stores a standing rule, which takes the scope "admin"',
                hint=f'{told}answer "once", or allow it for good on the machine itself',
            )
        return mine and await self._group.answer(approval, choice, words=words, by=self._by.name)


class _Questions(_Group):
    """A key sees and answers what its own work asks."""

    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.questions)
        self._by = by

    async def list(self, *, waiting: bool = True, limit: int = 50) -> list[Question]:
        if self._by.may("admin"):
            return await self._group.list(waiting=waiting, limit=limit)
        return await self._group.asked_by(self._by.key, waiting=waiting, limit=limit)

    async def get(self, question: str) -> Question:
        return await self._group.get(await self._mine(question))

    async def answer(self, question: str, words: str, *, by: str = "") -> Question:
        return await self._group.answer(await self._mine(question), words, by=self._by.name)

    async def _mine(self, question: str) -> str:
        """The id; raises NotFound for what another's work asks, as for what nobody asked."""
        try:
            found: str | None = (await self._group.get(question)).id
        except UsageError:  # that there are several would tell of others' questions
            found = None
        if found and (self._by.may("admin") or await self._group.asker(found) == self._by.key):
            return found
        raise NotFound(f"no question {question[:60]!r}", hint="GET /v1/hitl lists them")


class _Collaborations(_Group):
    def __init__(self, station: Workstation, by: Requester, find: Callable[[str], Any]) -> None:
        super().__init__(station.collaborations)
        self._by, self._find = by, find

    async def plan(self, new: NewCollaboration) -> Collaboration:
        return await self._group.plan(await self._asked(new))

    async def start(self, new: NewCollaboration) -> Collaboration:
        """Raises NotFound for a conversation, and Forbidden for a collaboration's key, of somebody
        else."""
        asked = await self._asked(new)
        if asked.key is not None:
            with suppress(NotFound):
                await self._check(asked.key.lower())
        return await self._group.start(asked)

    async def cancel(
        self, collaboration: str, *, reason: str = "", agent: str | None = None
    ) -> Collaboration:
        """Raises Forbidden for one that another asked for."""
        await self._check(collaboration)
        return await self._group.cancel(collaboration, reason=reason, agent=agent)

    async def resume(self, collaboration: str) -> Collaboration:
        """Raises as `cancel` does."""
        await self._check(collaboration)
        return await self._group.resume(collaboration)

    async def _asked(self, new: NewCollaboration) -> NewCollaboration:
        found = (await self._find(new.conversation)).id if new.conversation else None
        return replace(new, conversation=found, requester=self._by)

    async def _check(self, collaboration: str) -> None:
        if self._by.may("admin"):
            return
        if await self._group.requester(collaboration) != self._by.key:
            raise Forbidden(
                "this collaboration was asked for by somebody else",
                hint='only "admin" may do this',
            )


class _Strategies(_Group):
    """A key asks in its own name."""

    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.strategies)
        self._by = by

    async def plan(self, request: SeveralRequest) -> SeveralPlan:
        return await self._group.plan(replace(request, requester=self._by))

    async def ask(self, request: SeveralRequest) -> SeveralAnswer:
        return await self._group.ask(replace(request, requester=self._by))


class _Work(_Group):
    """A key begins work in its own name, and sees that alone unless it may do everything."""

    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.work)
        self._by = by
        self._only = None if by.may("admin") else by.key

    async def list(self, *, ended: bool = True, limit: int = 50) -> list[Work]:
        return await self._group.list(ended=ended, limit=limit, by=self._only)

    async def get(self, work: str) -> Work:
        """Raises NotFound for work that another asked for."""
        return await self._group.get(work, by=self._only)

    async def start(self, new: NewWork) -> Work:
        return await self._group.start(replace(new, requester=self._by))


class _SkillTools(_Group):
    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.skill_tools)
        self._by = by

    async def activate(self, name: str, agent: str, **said: str) -> SkillActivation:
        self._must_be_a_client(agent)
        return await self._group.activate(name, agent, **said)

    async def deactivate(self, name: str, agent: str, **said: str) -> SkillActivation:
        self._must_be_a_client(agent)
        return await self._group.deactivate(name, agent, **said)

    def _must_be_a_client(self, agent: str) -> None:
        """The team's tools stand in everybody's conversations."""
        if not agent.startswith(OF_CLIENTS) and not self._by.may("admin"):
            raise Forbidden(
                f"which skills are tools of {agent} is not for this key to say",
                hint='that takes the scope "admin"',
            )


class _Memory(_Group):
    """A key that may not read names a memory by its whole id: what it changes is given back to it,
    and with beginnings of ids it would try them all."""

    def __init__(self, station: Workstation, by: Requester) -> None:
        super().__init__(station.memory)
        self._reads = by.may("read")

    async def get(self, memory_id: str) -> Memory:
        if self._reads:
            return await self._group.get(memory_id)
        with suppress(UsageError):  # that there are several would tell of them
            if (found := await self._group.get(memory_id)).id == memory_id:
                return found
        raise NotFound(f"no memory {memory_id[:60]!r}", hint="give the whole of its id")

    async def pin(self, memory_id: str, **said: Any) -> Memory:
        return await self._group.pin(await self._named(memory_id), **said)

    async def unpin(self, memory_id: str, **said: Any) -> Memory:
        return await self._group.unpin(await self._named(memory_id), **said)

    async def forget(self, memory_id: str, **said: Any) -> Memory:
        return await self._group.forget(await self._named(memory_id), **said)

    async def restore(self, memory_id: str, **said: Any) -> Memory:
        return await self._group.restore(await self._named(memory_id), **said)

    async def correct(self, memory_id: str, content: str, **said: Any) -> Memory:
        return await self._group.correct(await self._named(memory_id), content, **said)

    async def corrected(self, memory_id: str, content: str, **said: Any) -> Memory:
        return await self._group.corrected(await self._named(memory_id), content, **said)

    async def adopt(self, memory_id: str, **said: Any) -> Memory:
        return await self._group.adopt(await self._named(memory_id), **said)

    async def share(self, memory_id: str, **said: Any) -> Memory:
        return await self._group.share(await self._named(memory_id), **said)

    async def unshare(self, memory_id: str, **said: Any) -> Memory:
        return await self._group.unshare(await self._named(memory_id), **said)

    async def resolve(self, memory_id: str, **said: Any) -> list[Memory]:
        return await self._group.resolve(await self._named(memory_id), **said)

    async def _named(self, memory_id: str) -> str:
        return memory_id if self._reads else (await self.get(memory_id)).id


_KINDS: Mapping[str, type[_Group]] = MappingProxyType(
    {
        "turns": _Turns,
        "conversations": _Conversations,
        "summaries": _Summaries,
        "approvals": _Approvals,
        "tasks": _Tasks,
        "collaborations": _Collaborations,
        "seats": _Seats,
        "strategies": _Strategies,
        "jobs": _Jobs,
        "work": _Work,
        "questions": _Questions,
    }
)


def is_confined(operation: Operation) -> bool:
    """Whether a key may reach through it only what is its own."""
    return operation.name in vars(_KINDS.get(operation.group, _Group))
