"""Background work as front ends and other parts see it: begun, looked up, paused, resumed, stopped,
tried again; taken up after the end of a process, and told of where nobody watched.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from skill_agent.conversations.idempotency import Once, checked_key, conflict
from skill_agent.errors import Closing, SkillAgentError, UsageError
from skill_agent.events import Event
from skill_agent.identifiers import new_id
from skill_agent.jobs import operations
from skill_agent.ports import Asks, Clock, Delivers, Ledger
from skill_agent.text.checks import sound_text
from skill_agent.text.redaction import redact, redacted
from skill_agent.text.shaping import one_line
from skill_agent.values import PRIORITIES, NewWork, Requester, Work

from .doing import CUT_SHORT, NO_TRIES, Doing, Sleep
from .kind import Kind
from .limits import AT_ONCE, CLEANED_EVERY_S, GRACE_S, LONGEST_TITLE, MOST_TRIES, PATIENCE_S
from .records import Kept, WorkRecords, no_work, with_changes
from .remembered import Remembered
from .telling import dispatch

_FIRST = ("running", "waiting_hitl", "pending", "paused")
_log = logging.getLogger(__name__)


class Background(operations.WorkOperations):
    """All the background work of one home."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Clock,
        kinds: Iterable[Kind],
        asks: Asks,
        delivers: Delivers,
        publish: Callable[[Event], None],
        at_once: int = AT_ONCE,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """`at_once` pieces of work run at the same time; `sleep` is waited by between tries."""
        self._clock, self._delivers, self._sleep = clock, delivers, sleep
        self._records = WorkRecords(ledger)
        self._remembered = Remembered(clock, self._records.get)
        self._kinds = {one.name: one for one in kinds}
        self._doing = Doing(
            records=self._records,
            remembered=self._remembered,
            kinds=self._kinds,
            clock=clock,
            asks=asks,
            publish=publish,
            ended=self._ended,
            at_once=at_once,
            sleep=sleep,
        )
        self._once = Once()
        self._seen: set[str] = set()
        """What somebody looked at after its end."""
        self._telling: set[asyncio.Task[None]] = set()
        self._closing = False

    # -- begun -------------------------------------------------------------------------------

    async def start(self, new: NewWork) -> Work:
        """Raises UsageError for what cannot be done, or speaks of files of this machine, and
        Conflict where the key stands for other work."""
        return await self._start(new, here=False)

    async def start_here(self, new: NewWork) -> Work:
        return await self._start(new, here=True)

    def _kind(self, new: NewWork) -> Kind:
        if (kind := self._kinds.get(new.kind)) is None:
            raise UsageError(
                f"there is no work of the kind {new.kind[:40]!r}",
                hint=f"known: {', '.join(sorted(self._kinds))}",
            )
        return kind

    async def _start(self, new: NewWork, *, here: bool) -> Work:
        kind = self._kind(new)
        if not here and kind.is_local(new.payload):
            raise UsageError(
                f"{kind.name} speaks of files of the machine that holds the home",
                hint="begin it there",
            )
        if not 1 <= new.max_attempts <= MOST_TRIES:
            raise UsageError(f"work is tried 1 to {MOST_TRIES} times", hint="max_attempts=3")
        if redacted(new.payload) != new.payload:
            raise UsageError(
                "a key or password is not kept with work", hint="do it without --detach"
            )
        key = checked_key(new.key) if new.key is not None else new_id()
        said = (new.kind, repr(new.payload))
        return await self._once.run(key, said, partial(self._begin, new, kind, key))

    async def _begin(self, new: NewWork, kind: Kind, key: str) -> Work:
        known = await self._get(key) if new.key is not None else None
        errand = await kind.checked(new)
        if known is not None:
            if (known.work.kind, known.work.payload) != (new.kind, errand.payload):
                raise conflict(key)
            return known.work
        if self._closing:
            raise Closing("the home is being closed", hint="try again in a moment")
        work = Work(
            id=key,
            kind=kind.name,
            title=one_line(redact(new.title or errand.title), LONGEST_TITLE),
            priority=new.priority,
            payload=errand.payload,
            max_attempts=new.max_attempts,
            repeatable=kind.repeatable,
            agent=new.agent or errand.agent,
            session=new.session or errand.session,
            by=new.requester.key if new.requester else "",
            created_at=self._clock(),
        )
        return await self._going(Kept(work=work), requester=new.requester, new=True)

    async def _going(
        self, kept: Kept, *, requester: Requester | None = None, new: bool = False
    ) -> Work:
        """It in line, once that is written down."""
        one = self._doing.start(kept, requester=requester, new=new, write=True)
        await asyncio.shield(one.made)
        return one.kept.work

    # -- looked up ---------------------------------------------------------------------------

    async def list(
        self, *, ended: bool = True, limit: int = 50, by: str | None = None
    ) -> operations.ListOfWork:
        """With `by` only what the API key of that id asked for."""
        open_ = {one.work.id: one.work for one in await self._records.open()}
        open_ |= {name: one.kept.work for name, one in self._doing.running.items()}
        found = sorted(
            (one for one in open_.values() if not one.ended),
            key=lambda one: (_FIRST.index(one.state), one.created_at, one.id),
        )
        found = [one for one in found if by in (None, one.by)]
        if ended and len(found) < limit:
            found += [one.work for one in await self._records.newest(limit, by=by)]
        return found[:limit]

    async def get(self, work: str, *, by: str | None = None) -> Work:
        """Raises NotFound, also for what another than the key `by` asked for, and UsageError where
        several begin so."""
        kept = await self._found(work)
        if by not in (None, kept.work.by):
            raise no_work(work)
        if kept.untold:
            self._seen.add(kept.work.id)
        return kept.work

    async def _found(self, ref: str) -> Kept:
        if (kept := await self._get(sound_text(ref, "the work's id"))) is not None:
            return kept
        found = await self._records.find(ref)
        return await self._get(found.work.id) or found

    async def _get(self, name: str) -> Kept | None:
        """By its exact id: as it runs here, as it is remembered, or from the ledger."""
        running = self._doing.running.get(name)
        return running.kept if running else await self._remembered.get(name)

    # -- steered -----------------------------------------------------------------------------

    async def pause(self, work: str) -> Work:
        """Raises UsageError for work that has ended, or is at what cannot be begun again."""
        kept = await self._found(work)
        found = kept.work
        if found.ended:
            raise UsageError(f"{found.title} has ended: {found.state}", hint="ska work list")
        if found.state in ("running", "waiting_hitl") and not found.repeatable:
            raise UsageError(
                f"{found.title} cannot be paused: it could not go on",
                hint=f"ska work cancel {found.id}",
            )
        await self._doing.stop(found.id, "pause", PATIENCE_S)
        now = await self._known(kept)
        at_rest = now.work.ended or now.work.state == "paused"
        if not at_rest and found.id not in self._doing.running:
            now = with_changes(now, state="paused", next_try=None)
            await self._doing.write(now)
        return now.work

    async def resume(self, work: str) -> Work:
        """Raises UsageError for work that is not paused."""
        kept = await self._found(work)
        if kept.work.state != "paused":
            hint = "ska work retry" if kept.work.ended else "ska work pause"
            raise UsageError(
                f"{kept.work.title} is not paused: {kept.work.state}",
                hint=f"{hint} {kept.work.id}",
            )
        return await self._again(with_changes(kept, state="pending", message=""))

    async def cancel(self, work: str) -> Work:
        """What has ended stays as it is."""
        kept = await self._found(work)
        await self._doing.stop(kept.work.id, "cancel", PATIENCE_S)
        now = await self._known(kept)
        if not now.work.ended and now.work.id not in self._doing.running:
            now = await self._doing.close(now, state="cancelled", message="stopped")
        return now.work

    async def retry(self, work: str) -> Work:
        """Raises UsageError for work that has not ended, or was done."""
        kept = await self._found(work)
        found = kept.work
        if not found.ended:
            raise UsageError(f"{found.title} is not over yet: {found.state}", hint="ska work list")
        if found.state == "completed":
            raise UsageError(f"{found.title} was done", hint=f"ska work show {found.id}")
        again = with_changes(
            kept, state="pending", attempts=0, error="", message="", progress=0.0, next_try=None,
            started_at=None, ended_at=None,
        )  # fmt: skip
        return await self._again(replace(again, untold=False))

    async def _again(self, kept: Kept) -> Work:
        """No await before it is begun: asked twice at a time, it is begun once."""
        if (running := self._doing.running.get(kept.work.id)) is not None:
            return running.kept.work
        if self._closing:
            raise Closing("the home is being closed", hint="try again in a moment")
        return await self._going(kept)

    async def _known(self, kept: Kept) -> Kept:
        """As it stands now."""
        return await self._get(kept.work.id) or kept

    # -- told --------------------------------------------------------------------------------

    def _ended(self, kept: Kept) -> None:
        if kept.untold and not self._closing:
            task = asyncio.create_task(self._tell(kept), name=f"work's end {kept.work.id}")
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, kept: Kept) -> None:
        """Failures always; what was done, unless somebody watched. Told in vain it is told again by
        the next opening."""
        name, failed = kept.work.id, kept.work.state != "completed"
        try:
            if not failed:
                await self._sleep(GRACE_S)
            if failed or name not in self._seen:
                await self._delivers.deliver(dispatch(kept.work))
            now = await self._known(kept)
            if now.untold and now.work.ended_at == kept.work.ended_at:
                now = replace(now, untold=False)
                await self._records.save(now)
                self._remembered.put(now)
        except SkillAgentError as problem:
            _log.warning("the end of work %s is not told: %s", name, problem.message)
        finally:
            self._seen.discard(name)

    def forget(self) -> None:
        """Something was erased: nothing of it is told from memory."""
        self._remembered.clear()

    # -- begin and end -----------------------------------------------------------------------

    async def begin(self, *, hosting: bool) -> None:
        """Decides what becomes of the work that an earlier process left open, in a process that
        stays, and tells what nobody was told of; once, after opening."""
        if not hosting:
            return
        for kept in await self._records.untold():
            self._ended(kept)
        found = await self._records.open()
        for kept in sorted(found, key=lambda one: -PRIORITIES.index(one.work.priority)):
            try:
                await self._take_up(kept)
            except SkillAgentError as problem:
                _log.warning("work %s is not taken up: %s", kept.work.id, problem.message)
        cleaning = asyncio.create_task(self._clean(), name="work in memory")
        self._telling.add(cleaning)

    async def _take_up(self, kept: Kept) -> None:
        work = kept.work
        if work.state == "paused":
            return
        cut = work.state in ("running", "waiting_hitl")
        if cut and not work.repeatable:
            await self._doing.close(kept, state="failed", error=CUT_SHORT)
        elif cut and work.attempts >= work.max_attempts:
            await self._doing.close(kept, state="dead", error=NO_TRIES)
        else:
            self._doing.start(with_changes(kept, state="pending"))

    async def _clean(self) -> None:
        while True:
            await asyncio.sleep(CLEANED_EVERY_S)
            self._remembered.clean()

    async def end(self) -> None:
        """Cuts short what runs; the next opening takes it up."""
        self._closing = True
        await self._once.close()
        await self._doing.end()
        telling = list(self._telling)
        for task in telling:
            task.cancel()
        await asyncio.gather(*telling, return_exceptions=True)
