"""Bringing in what a person has in other programs: looked at as a whole, told, then taken piece by
piece, each of which is on disk with its count in the log before the next is read.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import new_id
from skill_agent.memory.extraction.queue import ExtractionQueue
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.writer import Writer
from skill_agent.ports import Clock, Ledger, Progress
from skill_agent.privacy.erasure import Eraser
from skill_agent.text.checks import sound_text
from skill_agent.values import (
    BatchUndo,
    Belongings,
    ErasureReport,
    ExtractionJob,
    ImportBatch,
    Memory,
    Message,
    Note,
    PastPlan,
    PastRequest,
    Session,
    Unconfirmed,
)

from .batches import BEGUN, ENDED, SLICE, Batches, actor_of, every_session
from .found import Fact, Item, LeftOut, Talk
from .operations import ImportOperations
from .survey import Survey, items_of, slices, surveyed
from .taking import Taking
from .tree import Tree, tree_at
from .undoing import Undoing
from .vouching import Vouching

ROWS, PIPE = "jsonl", "-"
STRETCH = 40
"""Messages that are read for memories at a time."""
_PAGE = 1_000
_CONTINUED = "conversations that were gone on with here: what is new elsewhere"


class Imports(ImportOperations):
    """The imports of one home."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        projector: Projector,
        queue: ExtractionQueue,
        eraser: Eraser,
        writer: Writer,
        clock: Clock,
        default_agent: str,
        agents: Callable[[], Collection[str]],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`agents` names the team; `changed` is called after an import: whoever keeps memories in
        mind must look anew."""
        self._ledger, self._projector, self._queue = ledger, projector, queue
        self._clock, self._default, self._agents = clock, default_agent, agents
        self._changed = changed
        self._batches = Batches(ledger)
        self._undoing = Undoing(ledger, self._batches, eraser, queue)
        self._vouching = Vouching(ledger, self._batches, writer, clock)
        self._bringing = asyncio.Lock()
        self._survey: Survey | None = None
        """The last one, so that what was just told need not be read again to be kept."""

    # -- looking -----------------------------------------------------------------------------

    async def plan(self, wanted: PastRequest, *, progress: Progress | None = None) -> PastPlan:
        """Raises UsageError for what cannot be read, NotFound for an unknown agent."""
        with tree_at(wanted.path) as tree:
            here = await every_session(self._ledger)
            taking = self._taking(wanted, here)
            survey = await self._surveyed(tree, wanted, taking, progress)
        known = survey.sessions.keys() & here.keys()
        for ids in _pages(sorted(survey.memories)):
            known |= (await self._ledger.memories_by_id(ids)).keys()
        going_on = await self._batches.unfinished(wanted.source, _place(wanted))
        return PastPlan(
            source=wanted.source,
            conversations=len(survey.sessions),
            messages=dict(survey.roles),
            memories=len(survey.memories),
            there=len(known),
            left_out=dict(survey.left.counts),
            problems=tuple(survey.left.problems),
            first=survey.first,
            last=survey.last,
            languages=dict(survey.languages.most_common()),
            titles=tuple(survey.titles),
            goes_on=going_on.id if going_on else "",
        )

    async def _surveyed(
        self, tree: Tree, wanted: PastRequest, taking: Taking, progress: Progress | None
    ) -> Survey:
        """All of it read once; from the last reading where nothing changed since."""
        stamp, last = tree.stamp, self._survey
        same = last is not None and last.stamp == stamp
        if same and last and (last.wanted.path, last.wanted.source) == (wanted.path, wanted.source):
            return last
        survey = Survey(wanted, stamp)
        read = surveyed(tree, survey, taking)
        while number := await asyncio.to_thread(next, read, 0):
            if progress:
                progress(number, 0, "read")
        if not (survey.sessions or survey.memories or survey.left.counts):
            raise UsageError(
                f"there is nothing of {wanted.source} in {wanted.path}",
                hint="name what the export was unpacked to, or its zip",
            )
        self._survey = survey
        return survey

    def _taking(self, wanted: PastRequest, here: dict[str, Session]) -> Taking:
        agent = wanted.agent or self._default
        if agent not in self._agents():
            raise NotFound(f"no agent {agent!r}", hint="ska agents list")
        own = [one.updated_at for one in here.values()]
        return Taking(
            source=wanted.source, agent=agent, now=self._clock(), newest=max(own, default=None)
        )

    # -- bringing in -------------------------------------------------------------------------

    async def bring(
        self, wanted: PastRequest, *, progress: Progress | None = None
    ) -> ImportBatch | None:
        """Raises UsageError as `plan` does, before anything is kept."""
        async with self._bringing:
            with tree_at(wanted.path) as tree:
                here = await every_session(self._ledger)
                taking = self._taking(wanted, here)
                survey = await self._surveyed(tree, wanted, taking, progress)
                going_on = await self._batches.unfinished(wanted.source, _place(wanted))
                batch = going_on.id if going_on else new_id()
                work = _Work(wanted, taking, batch, survey, here, begun=going_on is not None)
                await self._keep(tree, work, progress)
            self._survey = None
            if not work.begun:
                return None
            left = {**survey.left.counts, **work.left.counts}
            data = {"left_out": left}
            await self._batches.note(ENDED, batch, actor=actor_of(batch), data=data)
        return await self._state(batch)

    async def _keep(self, tree: Tree, work: "_Work", progress: Progress | None) -> None:
        related = work.survey.links.related()
        parts = slices(items_of(tree, work.taking.source, LeftOut()))
        total, done = len(work.survey.sessions) + len(work.survey.memories), 0
        try:
            while part := await asyncio.to_thread(next, parts, None):
                facts = [work.taking.memory(one, related) for one in part if isinstance(one, Fact)]
                await self._take(work, part, facts)
                done += len(part)
                if progress:
                    progress(done, max(total, done), "saved")
        finally:
            self._projector.touch()
            self._changed()

    async def _take(self, work: "_Work", part: Sequence[Item], facts: Sequence[Memory]) -> None:
        """One write: what is new of a slice, with its count; then its reading is queued."""
        sessions, messages = await self._talks(work, part)
        there = await self._ledger.memories_by_id([one.id for one in facts])
        fresh = list({one.id: one for one in facts if one.id not in there}.values())
        if sessions or messages or fresh:
            await self._begin(work)
            jobs = self._jobs(work, messages)
            data = {
                "conversations": len(sessions),
                "messages": len(messages),
                "memories": len(fresh),
                "stretches": len(jobs) if work.wanted.read else 0,
            }
            actor = actor_of(work.batch)
            note = Note(kind=SLICE, entity=work.batch, actor=actor, at=self._clock(), data=data)
            parts = Belongings(
                sessions=tuple(sessions),
                messages=tuple(messages),
                memories=tuple(fresh),
                notes=(note,),
            )
            await self._ledger.import_belongings([parts], actor=actor)
        await self._queue_reading(work, [one for one in part if isinstance(one, Talk)])

    async def _begin(self, work: "_Work") -> None:
        if not work.begun:
            data = {"source": work.wanted.source, "path": _place(work.wanted)}
            await self._batches.note(BEGUN, work.batch, actor=actor_of(work.batch), data=data)
            work.begun = True

    async def _talks(
        self, work: "_Work", part: Sequence[Item]
    ) -> tuple[list[Session], list[Message]]:
        """The new conversations, and what is new of those that came in before."""
        sessions, messages = list[Session](), list[Message]()
        for talk in part:
            if not isinstance(talk, Talk):
                continue
            if (kept := work.here.get(work.taking.session_id(talk))) is None:
                sessions.append(session := work.taking.session(talk))
                added = work.taking.messages(talk)
                work.lengths[session.id] = len(added)
            else:
                added = await self._added(work, talk, kept)
                work.lengths[kept.id] = kept.messages + len(added)
            messages += added
        return sessions, messages

    async def _added(self, work: "_Work", talk: Talk, kept: Session) -> list[Message]:
        known = await self._ledger.messages(kept.id)
        after = max((one.position for one in known), default=-1) + 1
        added = work.taking.messages(talk, known=known, after=after)
        if added and any("import" not in one.origins for one in known):
            work.left.count(_CONTINUED)
            return []
        return added

    # -- reading for memories ----------------------------------------------------------------

    def _jobs(self, work: "_Work", messages: Sequence[Message]) -> list[ExtractionJob]:
        """The stretches that these messages add."""
        ends = dict[str, int]()
        starts = dict[str, int]()
        for one in messages:
            starts.setdefault(one.session, one.position)
            ends[one.session] = one.position + 1
        return [
            job for name, start in starts.items() for job in self._stretches(
                work, name, start, ends[name]
            )
        ]  # fmt: skip

    def _stretches(
        self, work: "_Work", session: str, start: int, end: int
    ) -> Iterator[ExtractionJob]:
        for at in range(start, end, STRETCH):
            yield ExtractionJob(
                id=new_id(),
                session=session,
                agent=work.taking.agent,
                start=at,
                end=min(at + STRETCH, end),
                trigger="import",
                queued_at=self._clock(),
            )

    async def _queue_reading(self, work: "_Work", talks: Sequence[Talk]) -> None:
        """Queues what nobody has read; also what an import that was cut short had not queued."""
        jobs = list[ExtractionJob]()
        for name in dict.fromkeys(map(work.taking.session_id, talks)):
            due = await self._queue.due(name)
            jobs += self._stretches(work, name, due, work.lengths.get(name, 0))
        await self._queue.take_in(jobs, read=not work.wanted.read)

    # -- rows that others keep -------------------------------------------------------------------

    async def begin(self, path: str) -> str:
        going_on = await self._batches.unfinished(ROWS, path) if path != PIPE else None
        batch = going_on.id if going_on else new_id()
        if going_on is None:
            data = {"source": ROWS, "path": sound_text(path, "the path")}
            await self._batches.note(BEGUN, batch, actor=actor_of(batch), data=data)
        return batch

    async def end(self, ref: str) -> ImportBatch:
        """Raises NotFound for an unknown batch, UsageError for one that has ended."""
        batch = await self._batches.get(ref)
        if (batch.source, batch.state) != (ROWS, "unfinished"):
            raise UsageError(f"the import {batch.id} has ended", hint="ska memory imports")
        came = len((await self._batches.members(batch.id)).memories)
        actor = actor_of(batch.id)
        await self._batches.note(SLICE, batch.id, actor=actor, data={"memories": came})
        await self._batches.note(ENDED, batch.id, actor=actor, data={})
        return await self._batches.get(batch.id)

    # -- what came in ------------------------------------------------------------------------

    async def list(self) -> list[ImportBatch]:
        jobs = await self._queue.list(("waiting", "running", "failed"), limit=1_000_000)
        return await self._batches.every(jobs)

    async def _state(self, batch: str) -> ImportBatch:
        return next(one for one in await self.list() if one.id == batch)

    async def unconfirmed(self, ref: str) -> Unconfirmed:
        """Raises NotFound for what is neither a batch nor a memory."""
        return await self._vouching.unconfirmed(ref)

    async def confirm(self, ref: str, *, actor: str = "person") -> int:
        """Raises NotFound for what is neither a batch nor a memory."""
        return await self._vouching.confirm(ref, actor=actor)

    async def plan_undo(self, ref: str) -> BatchUndo:
        """Raises NotFound for an unknown batch."""
        return await self._undoing.plan(ref)

    async def undo(self, ref: str, *, expected: str, actor: str = "person") -> ErasureReport:
        """Raises Conflict where something else would go than `plan_undo` told."""
        async with self._bringing:
            return await self._undoing.undo(ref, expected=expected, actor=actor)


@dataclass(slots=True)
class _Work:
    """One import under way."""

    wanted: PastRequest
    taking: Taking
    batch: str
    survey: Survey
    here: dict[str, Session]
    begun: bool
    """Whether the log knows of the batch."""

    left: LeftOut = field(default_factory=LeftOut)
    lengths: dict[str, int] = field(default_factory=dict)
    """How many messages each conversation then has."""


def _place(wanted: PastRequest) -> str:
    return str(Path(wanted.path).expanduser().absolute())


def _pages(ids: list[str]) -> Iterator[list[str]]:
    return (ids[at : at + _PAGE] for at in range(0, len(ids), _PAGE))
