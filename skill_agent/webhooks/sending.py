"""Sends what the log has to tell to one webhook, in order.

The log is the queue. An event that is not taken holds up those behind it until it is, for five
tries at most; then the webhook is failing, which is told, and gets nothing until somebody sees to
it. A crash between a request and its note has the event sent again, under the same id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from skill_agent.events import Event, WebhookFailing
from skill_agent.ports import Clock, Delivers, Ledger
from skill_agent.values import Dispatch, LogEntry, WebhookDelivery

from .kept import Kept, WebhookFiles
from .occasions import KINDS, NOTES, Occasion, Occasions
from .posting import GONE, Answer, Posting
from .progress import Progress, note, progress_of
from .signing import headers_of

PAUSES_S = (60.0, 300.0, 1_800.0, 7_200.0)
"""Between the five tries."""
TRIES = len(PAUSES_S) + 1
MOST_WAITING = 10_000
"""Rows with something to tell that wait for one webhook; of more the oldest are dropped."""
_PAGE = 200
_AT_ONCE = 50
"""Events that are taken before that is written down."""
_FAR = 5_000
"""Rows that were looked through for nothing before that is written down."""
NO_SECRET = "its secret is not there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What the webhooks of one home are sent by."""

    ledger: Ledger
    clock: Clock
    files: WebhookFiles
    occasions: Occasions
    posting: Posting
    delivers: Delivers
    publish: Callable[[Event], None]
    most_waiting: int = MOST_WAITING

    async def all_due(self, hook: Kept) -> Progress:
        """Sends what waits for it until all is taken, or something is not."""
        known = (await progress_of(self.ledger, [hook.id]))[hook.id]
        if known.waits(self.clock()):
            return known
        if self.files.secret(hook):
            await _Run(self, hook, known).go()
        else:
            await self.fails(hook, known, NO_SECRET)
        return (await progress_of(self.ledger, [hook.id]))[hook.id]

    async def attempt(self, hook: Kept, occasion: Occasion) -> Answer:
        """One request."""
        secret = self.files.secret(hook)
        if not secret:
            return Answer(error=NO_SECRET)
        body = occasion.body(await self.occasions.home())
        headers = headers_of(
            occasion.event,
            occasion.id,
            body,
            secret=secret,
            at=self.clock(),
            origins=occasion.origins,
        )
        return await self.posting.post(hook.url, body, headers)

    async def fails(self, hook: Kept, known: Progress, problem: str) -> None:
        """Tells that a webhook gets nothing any more; told first, for a crash tells it again."""
        place = place_of(hook.url)
        await self.delivers.deliver(
            Dispatch(
                title=f"Webhook {hook.id} is failing",
                text=f"{place} did not take an event: {problem}. It gets nothing more until "
                f"`ska webhooks test {hook.id}` reaches it; what happens meanwhile waits.",
                sort="failure",
                always=True,
                key=str(uuid5(NAMESPACE_URL, f"webhook:{hook.id}:{known.failed}")),
            )
        )
        await note(self.ledger, hook.id, failing=True, problem=problem, failed=1, next_try=None)
        self.publish(WebhookFailing(webhook=hook.id, url=place, problem=problem))

    async def within_bounds(self, hook: Kept, after: int) -> int:
        """Drops the oldest of what waits beyond the most, and tells it; where to go on after."""
        kinds, seqs, at = kinds_of(hook), list[int](), after
        while rows := await self.ledger.log(kinds=kinds, after=at, limit=5_000):
            seqs += [one.seq for one in rows]
            at = rows[-1].seq
        if (dropped := len(seqs) - self.most_waiting) <= 0:
            return after
        await self.delivers.deliver(
            Dispatch(
                title=f"Webhook {hook.id} missed events",
                text=f"More than {self.most_waiting:,} things happened that wait for "
                f"{place_of(hook.url)}; the oldest {dropped:,} of them will not be told there.",
                sort="failure",
                key=str(uuid5(NAMESPACE_URL, f"webhook:{hook.id}:dropped:{seqs[dropped - 1]}")),
            )
        )
        await note(self.ledger, hook.id, up_to=seqs[dropped - 1], dropped=dropped)
        return seqs[dropped - 1]


class _Run:
    """One go through what waits for a webhook."""

    def __init__(self, sending: Sending, hook: Kept, known: Progress) -> None:
        self._sending, self._hook, self._known = sending, hook, known
        self._taken: list[WebhookDelivery] = []
        self._had = {one.id for one in known.lines if one.state == "delivered"}
        self._noted = self._up_to = max(hook.since, known.up_to)

    async def go(self) -> None:
        sending = self._sending
        self._noted = self._up_to = await sending.within_bounds(self._hook, self._up_to)
        end = await sending.ledger.last_seq()
        try:
            while rows := await self._rows():
                for row in rows:
                    if not await self._row(row):
                        return
        finally:
            await self._flush()
        if end - self._noted > _FAR:
            self._up_to = max(end, self._up_to)
            await note(sending.ledger, self._hook.id, up_to=self._up_to)

    async def _rows(self) -> Sequence[LogEntry]:
        return await self._sending.ledger.log(
            kinds=kinds_of(self._hook), after=self._up_to, limit=_PAGE
        )

    async def _row(self, row: LogEntry) -> bool:
        """Whether all that it tells was taken. Of notes that are older than the webhook, and were
        brought into the log later, nothing is told."""
        older = row.kind in NOTES and row.at < self._hook.created_at
        for occasion in [] if older else await self._occasions(row):
            answer = await self._sending.attempt(self._hook, occasion)
            if not answer.taken:
                await self._refused(occasion, answer)
                return False
            self._taken.append(self._line(occasion, answer))
            self._had.add(occasion.id)
        self._up_to = row.seq
        if len(self._taken) >= _AT_ONCE:
            await self._flush()
        return True

    async def _occasions(self, row: LogEntry) -> list[Occasion]:
        found = await self._sending.occasions.of(row, self._hook.events)
        return [one for one in found if one.id not in self._had]

    async def _flush(self) -> None:
        if not self._taken:
            return
        lines, self._taken = self._taken, []
        self._known = Progress(failed=self._known.failed)
        self._noted = self._up_to
        await note(
            self._sending.ledger,
            self._hook.id,
            lines=lines,
            up_to=self._up_to,
            head="",
            attempts=0,
            next_try=None,
            problem="",
            taken_at=self._sending.clock(),
        )

    async def _refused(self, occasion: Occasion, answer: Answer) -> None:
        """Writes down when it is tried again, or that it is not."""
        await self._flush()
        known, now = self._known, self._sending.clock()
        attempts = known.attempts + 1 if known.head == occasion.id else 1
        last = attempts >= TRIES or answer.status == GONE
        again = None if last else now + _pause(attempts, answer)
        line = self._line(occasion, answer, attempts=attempts, again=again)
        await note(
            self._sending.ledger,
            self._hook.id,
            lines=[line],
            up_to=self._up_to,
            head=occasion.id,
            attempts=attempts,
            next_try=again,
            problem=answer.error,
        )
        if last:
            await self._sending.fails(self._hook, known, answer.error)

    def _line(
        self,
        occasion: Occasion,
        answer: Answer,
        *,
        attempts: int = 0,
        again: datetime | None = None,
    ) -> WebhookDelivery:
        before = self._known.attempts if self._known.head == occasion.id else 0
        return line_of(
            self._hook,
            occasion,
            answer,
            attempts=attempts or before + 1,
            again=again,
            now=self._sending.clock(),
        )


def line_of(
    hook: Kept,
    occasion: Occasion,
    answer: Answer,
    *,
    attempts: int,
    now: datetime,
    again: datetime | None = None,
) -> WebhookDelivery:
    """What the webhook's log says of a try."""
    return WebhookDelivery(
        id=occasion.id,
        webhook=hook.id,
        event=occasion.event,
        state="delivered" if answer.taken else "pending" if again else "failed",
        attempts=attempts,
        status=answer.status,
        error=answer.error,
        next_try=again,
        created_at=occasion.at,
        delivered_at=now if answer.taken else None,
    )


def kinds_of(hook: Kept) -> tuple[str, ...]:
    return tuple(dict.fromkeys(kind for event in hook.events for kind in KINDS[event]))


def place_of(url: str) -> str:
    """A URL as others may see it: what follows the host may be as good as a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/…"


def _pause(attempts: int, answer: Answer) -> timedelta:
    """A receiver that asks for more is left alone for longer."""
    return timedelta(seconds=max(PAUSES_S[attempts - 1], answer.after_s or 0.0))
