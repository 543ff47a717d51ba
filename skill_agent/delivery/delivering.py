"""Brings things to a person: first durably into the inbox, then along the ways that are wanted.

Each way is tried by itself, at once and then after a minute, five, half an hour and two hours; each
step is a note. A try that a crash cut short is made again, so a thing may be told twice where the
other side cannot know it again: a notification, a chat, what Apprise reaches. A file and a webhook
know it by its id.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from skill_agent.errors import NotDelivered, SkillAgentError, UsageError
from skill_agent.events import Event, InboxArrived, InboxChanged
from skill_agent.identifiers import new_id
from skill_agent.ports import Clock, Delivers, Ledger, Sink
from skill_agent.settings.quiet_hours import QuietHours
from skill_agent.text.redaction import masked, redact
from skill_agent.text.shaping import one_line
from skill_agent.text.whole import whole
from skill_agent.values import Delivery, Dispatch, InboxItem

from .lanes import Lane, Nap
from .records import UNFINISHED, InboxRecords
from .targets import INBOX, KNOWN, LATER, NONE, SILENT, may_have_private, parted, written

TRIES_AFTER_S = (0, 60, 300, 1_800, 7_200)
"""Seconds from a try that failed to the next; the first is made at once."""
LONGEST_TITLE, LONGEST_TEXT = 200, 20_000
"""Characters of an item; the whole of a result stays in its conversation."""
PATIENCE = timedelta(days=7)
"""So long a thing waits for a way that is not there, as a bot that does not run."""
MOST_IN_MIND = 1_000
"""Ids that wait in memory for one target; what is over that waits in the ledger."""
_ABSENT = timedelta(hours=1)
_LONGEST_WAIT_S = 86_400.0
_LONGEST_ERROR = 300
_PRIVATE = "something private"
_SEND_S = 60.0
_GRACE_S = 3.0
_log = logging.getLogger(__name__)


class Delivering(Delivers):
    """The inbox, and what leads out of it."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        publish: Callable[[Event], None],
        *,
        sinks: Iterable[Sink] = (),
        quiet: QuietHours | None = None,
        nap: Nap = asyncio.sleep,
        most_in_mind: int = MOST_IN_MIND,
    ) -> None:
        self._clock, self._publish, self._quiet, self._nap = clock, publish, quiet, nap
        self.records = InboxRecords(ledger)
        self._sinks = {one.kind: one for one in sinks}
        self._lanes: dict[str, Lane] = {}
        self._most, self._over = most_in_mind, set[str]()
        """`_over`: targets for which more waits in the ledger."""
        self._running = False
        self._lock = asyncio.Lock()
        self._outcomes: dict[tuple[str, str], list[asyncio.Future[None]]] = {}
        self._urgent = set[tuple[str, str]]()
        self._unnoted: dict[tuple[str, str], Delivery] = {}
        """What became of tries that the ledger could not take yet: they are not made again."""

    # -- ways --------------------------------------------------------------------------------

    def register(self, sink: Sink) -> None:
        """A way that is there from now on; what waited for it goes."""
        self._sinks[sink.kind] = sink
        for target, lane in self._lanes.items():
            if parted(target)[0] == sink.kind:
                lane.hurry()
                self._run(target)

    def unregister(self, kind: str) -> None:
        """What is to go there waits until it is there again."""
        self._sinks.pop(kind, None)

    def check(self, target: str) -> None:
        kind, address = parted(target)
        if kind in (INBOX, NONE) and target == kind:
            return
        if (sink := self._sinks.get(kind)) is not None:
            sink.check(address)
        elif kind not in LATER or not LATER[kind].fullmatch(address):
            raise UsageError(f"nothing can be delivered to {target[:60]!r}", hint=KNOWN)

    async def problems(self) -> dict[str, str]:
        """What keeps ways from working here that something waits for, or was lost on."""
        lost = (one.target for one in await self.records.lost())
        wanted = [*await self.records.open_targets(), *lost]
        found = dict[str, str]()
        for target in dict.fromkeys(wanted):
            kind, address = parted(target)
            sink = self._sinks.get(kind)
            if sink is None:
                found[target] = f"{kind} is not running here"
            elif problem := await asyncio.to_thread(sink.missing, address):
                found[target] = problem
        return found

    # -- taking ------------------------------------------------------------------------------

    async def deliver(self, dispatch: Dispatch) -> InboxItem:
        ways = written(dispatch.targets)
        for one in ways:
            self.check(one)
        item = self._item(dispatch, () if NONE in ways else ways)
        if NONE in ways:
            return item
        async with self._lock:
            if dispatch.key is not None:
                if (known := await self.records.get(item.id)) is not None:
                    return known
                if await self.records.was_there(item.id):
                    return replace(item, deliveries=())  # erased; it is not told anew
            await self.records.add(item, always=dispatch.always)
        rings = "desktop" in ways and self._quiet_until(dispatch.always) is None
        title = _PRIVATE if item.private else item.title
        self._publish(InboxArrived(item=item.id, sort=item.sort, title=title, rings=rings))
        for way in item.deliveries:
            self._queue(item, way)
        return item

    def _item(self, dispatch: Dispatch, ways: tuple[str, ...]) -> InboxItem:
        now, id = self._clock(), _checked(dispatch.key) or new_id()
        held = self._quiet_until(dispatch.always)
        inbox = Delivery(
            id=f"{id}/{INBOX}", item=id, target=INBOX, state="delivered", delivered_at=now
        )
        others = (Delivery(id=f"{id}/{one}", item=id, target=one) for one in ways)
        # Cut after it was masked, or half a secret might stay at the end of it.
        text = masked(whole(dispatch.text[: 2 * LONGEST_TEXT]))
        if len(text) > LONGEST_TEXT:
            left = len(dispatch.text) - LONGEST_TEXT
            text = f"{text[:LONGEST_TEXT]}\n… ({left:,} characters left out)"
        return InboxItem(
            id=id,
            title=one_line(masked(whole(dispatch.title)), LONGEST_TITLE) or dispatch.sort,
            text=text,
            sort=dispatch.sort,
            agent=dispatch.agent,
            session=dispatch.session,
            job=dispatch.job,
            run=dispatch.run,
            private=dispatch.private,
            origins=dispatch.origins,
            quotes=dispatch.quotes,
            deliveries=(
                inbox,
                *(
                    replace(one, state="held", next_try=held)
                    if held and parted(one.target)[0] not in SILENT
                    else one
                    for one in others
                ),
            ),
            created_at=now,
        )

    def _quiet_until(self, always: bool) -> datetime | None:
        return None if always or self._quiet is None else self._quiet.over_at(self._clock())

    # -- going out ---------------------------------------------------------------------------

    async def begin(self, *, take_up: bool) -> None:
        """From now on things go out; with `take_up` also what an earlier process left."""
        self._running = True
        if take_up:
            await self._take_up()
        for target in self._lanes:
            self._run(target)

    async def end(self) -> None:
        """What is due now may still arrive, for a moment; all else waits for the next opening."""
        self._running = False
        lanes, self._lanes = list(self._lanes.values()), {}
        await asyncio.gather(*(one.end(_GRACE_S) for one in lanes))
        for waiting in self._outcomes.values():
            for one in waiting:
                one.cancel()
        self._outcomes.clear()

    async def again(self, item: InboxItem) -> InboxItem:
        """Tries at once, once, the ways that wait or were given up, and says what became of it;
        quiet hours do not count. Raises UsageError where there is none."""
        again = [one for one in item.deliveries if one.state != "delivered"]
        if not again:
            raise UsageError(
                "nothing of it waits or was given up", hint=f"ska inbox show {item.id}"
            )
        loop, outcomes = asyncio.get_running_loop(), list[asyncio.Future[None]]()
        for one in again:
            if one.state == "given_up":
                one = replace(one, state="pending", attempts=0, error="", next_try=None)
                await self._save(item, one)
            self._urgent.add((item.id, one.target))
            outcome: asyncio.Future[None] = loop.create_future()
            outcomes.append(outcome)
            self._outcomes.setdefault((item.id, one.target), []).append(outcome)
            self._queue(item, replace(one, next_try=None), at_once=True)
        if self._running:
            await asyncio.wait(outcomes, timeout=_SEND_S)
        return await self.records.get(item.id) or item

    async def _take_up(self, only: str | None = None) -> None:
        """What has not ended, as far as there is room for it."""
        full = set[str]()  # what comes after the first that found no room waits too, in its order
        if only is not None:
            self._over.discard(only)
        for item_id in await self.records.open():
            if only in full:
                return
            if (item := await self.records.get(item_id)) is None:
                continue
            for way in item.deliveries:
                lane = self._lanes.get(way.target)
                if only not in (None, way.target) or way.target in full:
                    continue
                if lane is None or item_id not in lane:
                    self._queue(item, way)
                if way.target in self._over:
                    full.add(way.target)

    def _queue(self, item: InboxItem, way: Delivery, *, at_once: bool = False) -> None:
        """`at_once` where somebody waits for it."""
        if way.state not in UNFINISHED:
            return
        if way.target not in self._lanes:
            self._lanes[way.target] = Lane(
                target=way.target, send=self._try, clock=self._clock, nap=self._nap
            )
        lane = self._lanes[way.target]
        if not at_once and (way.target in self._over or len(lane) >= self._most):
            self._over.add(way.target)
            return
        now = self._clock()
        due = way.next_try if way.state in ("held", "failed") and way.next_try else now
        # A clock that was set back since must not keep it for longer than any wait is.
        lane.put(item.id, min(due, now + timedelta(seconds=_LONGEST_WAIT_S)))
        self._run(way.target)

    def _run(self, target: str) -> None:
        if self._running:
            self._lanes[target].run()

    async def _try(self, item_id: str, target: str) -> datetime | None:
        """One try, and what became of it as a note; when again, or None where it has ended."""
        item = await self.records.get(item_id)
        way = next((one for one in item.deliveries if one.target == target), None) if item else None
        again: datetime | None = None
        if item is not None and way is not None and way.state in UNFINISHED:
            moved = self._unnoted.get((item_id, target)) or await self._moved(item, way)
            self._unnoted[item_id, target] = moved
            if moved.state == "given_up":
                await self._tell(item, moved)  # before it is noted, or a crash could lose it
            if _told(moved) != _told(way):
                await self._save(item, moved)
            del self._unnoted[item_id, target]
            again = moved.next_try if moved.state in UNFINISHED else None
        for one in self._outcomes.pop((item_id, target), ()):
            if not one.done():
                one.set_result(None)
        lane = self._lanes.get(target)
        if lane is not None and target in self._over and len(lane) < self._most // 2:
            await self._take_up(target)
        return again

    async def _moved(self, item: InboxItem, way: Delivery) -> Delivery:
        urgent = (item.id, way.target) in self._urgent
        self._urgent.discard((item.id, way.target))
        return await self._waits(item, way, urgent=urgent) or await self._sent(item, way)

    async def _waits(self, item: InboxItem, way: Delivery, *, urgent: bool) -> Delivery | None:
        """The way as it waits, or was given up, without a try; None where one is to be made."""
        kind, _ = parted(way.target)
        now = self._clock()
        if item.private and not may_have_private(way.target):
            return _given_up(way, "it is private and stays on this machine and in your own chats")
        if kind not in self._sinks:
            if now - item.created_at > PATIENCE:
                return _given_up(way, f"{kind} was not there for {PATIENCE.days} days")
            waits = f"waits: {kind} is not running here"
            return replace(way, state="pending", error=waits, next_try=now + _ABSENT)
        if urgent or kind in SILENT or self._quiet is None:
            return None
        over = self._quiet.over_at(now)
        if over is None or await self.records.is_always(item.id):
            return None
        return replace(way, state="held", next_try=over)

    async def _sent(self, item: InboxItem, way: Delivery) -> Delivery:
        kind, address = parted(way.target)
        tried = replace(way, attempts=way.attempts + 1, next_try=None, error="")
        try:
            async with asyncio.timeout(_SEND_S):
                receipt = await self._sinks[kind].send(item, address)
        except NotDelivered as problem:
            return self._failed(tried, problem)
        except TimeoutError:
            return self._failed(tried, NotDelivered(f"no answer within {_SEND_S:.0f} s"))
        except SkillAgentError as problem:
            return self._failed(tried, NotDelivered(problem.message, hint=problem.hint))
        except Exception as problem:
            _log.warning("delivery to %s: %s", kind, redact(repr(problem)))
            return self._failed(tried, NotDelivered(f"it broke: {type(problem).__name__}"))
        receipt = one_line(masked(receipt), _LONGEST_ERROR)
        return replace(tried, state="delivered", delivered_at=self._clock(), receipt=receipt)

    def _failed(self, way: Delivery, problem: NotDelivered) -> Delivery:
        hint = f" ({problem.hint})" if problem.hint else ""
        error = one_line(masked(whole(problem.message + hint)), _LONGEST_ERROR)
        if not problem.again or way.attempts >= len(TRIES_AFTER_S):
            return _given_up(way, error)
        wait = TRIES_AFTER_S[way.attempts] if problem.after_s is None else problem.after_s
        wait = min(max(0.0, wait), _LONGEST_WAIT_S)
        return replace(
            way, state="failed", error=error, next_try=self._clock() + timedelta(seconds=wait)
        )

    async def _save(self, item: InboxItem, way: Delivery) -> None:
        await self.records.put_way(item, way)
        self._publish(InboxChanged(item=item.id, target=way.target, state=way.state))

    async def _tell(self, item: InboxItem, way: Delivery) -> None:
        """Of a target that takes nothing one is told a day: `ska doctor` lists them all."""
        day = f"{self._clock():%Y-%m-%d}"
        tried = f"after {way.attempts} tries" if way.attempts > 1 else "and will not be tried again"
        text = (
            f"Something for {way.target} could not be brought there, {tried}: {way.error}\n\n"
            f"It lies in the inbox: ska inbox show {item.id}\n"
            f"Once that is mended: ska inbox deliver {item.id}\n"
            "All that was given up: ska doctor"
        )
        await self.deliver(
            Dispatch(
                title=f"Not delivered to {way.target}",
                text=text,
                sort="failure",
                session=item.session,
                always=True,
                key=str(uuid5(NAMESPACE_URL, f"given-up:{day}:{way.target}")),
            )
        )


def _checked(key: str | None) -> str | None:
    if key is None:
        return None
    try:
        return str(UUID(key))
    except ValueError:
        raise UsageError(f"the key {key[:40]!r} is no UUID") from None


def _given_up(way: Delivery, error: str) -> Delivery:
    return replace(way, state="given_up", error=error, next_try=None)


def _told(way: Delivery) -> Delivery:
    """What is worth a note: waiting a little longer is none."""
    return replace(way, next_try=None) if way.state == "pending" else way
