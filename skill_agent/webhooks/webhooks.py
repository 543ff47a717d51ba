"""The webhooks of a home: added, tried, looked after while a host stays."""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import NotDelivered, NotFound, StoreError, UsageError
from skill_agent.events import Event
from skill_agent.files.home import Home
from skill_agent.ports import Clock, Delivers, Ledger
from skill_agent.settings.schema import Settings
from skill_agent.text.nearest import did_you_mean
from skill_agent.text.redaction import redact
from skill_agent.values import (
    WEBHOOK_EVENTS,
    InboxItem,
    NewWebhook,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
    WebhookState,
)

from . import operations
from .kept import Kept, WebhookFiles
from .noticing import Noticing
from .occasions import FindRun, Occasion, Occasions, event_id
from .posting import GONE, Answer, Posting
from .progress import Progress, note, progress_of
from .sending import MOST_WAITING, NO_SECRET, Sending, line_of
from .signing import checked_secret, checked_variable, new_secret

EVERY_S = 1.0
"""Between two looks at whether there is something to tell."""
_AFTER_TROUBLE = timedelta(minutes=1)
_log = logging.getLogger(__name__)


class Webhooks(operations.WebhookOperations):
    """The webhooks of one home. Each is sent to by itself: a slow one delays no other."""

    def __init__(
        self,
        *,
        home: Home,
        settings: Settings,
        ledger: Ledger,
        clock: Clock,
        directory: AgentDirectory,
        delivers: Delivers,
        publish: Callable[[Event], None],
        find_run: FindRun,
        posting: Posting | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._ledger, self._clock = ledger, clock
        self._files = WebhookFiles(home)
        self._noticing = Noticing(ledger, clock, directory)
        self._occasions = Occasions(ledger, settings.general.user, find_run)
        self._posting = posting or Posting(settings.webhooks.allow_private, clock)
        self._sending = Sending(
            ledger=ledger,
            clock=clock,
            files=self._files,
            occasions=self._occasions,
            posting=self._posting,
            delivers=delivers,
            publish=publish,
            most_waiting=most_waiting,
        )
        self._lock = asyncio.Lock()
        """One change of the files at a time."""
        self._watching: asyncio.Task[None] | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._looked: dict[str, int] = {}
        """Up to which row there was nothing left to tell."""
        self._asleep: dict[str, datetime] = {}
        """Until when a webhook is let alone."""

    # -- operations --------------------------------------------------------------------------

    async def list(self) -> operations.ListOfWebhooks:
        hooks = self._files.all()
        known = await progress_of(self._ledger, [one.id for one in hooks])
        return [self._shown(one, known[one.id]) for one in hooks]

    async def add(self, new: NewWebhook) -> Webhook:
        """Raises UsageError for an address that nothing may be sent to, or a secret that is none.
        It hears of what happens from now on."""
        events = _checked_events(new.events)
        secret, made = self._secret_for(new)
        url = await self._posting.check(new.url)
        async with self._lock:
            if "agent.status_changed" in events:
                await self._begin_with_agents()
            hook = Kept(
                id=f"w{secrets.token_hex(4)}",
                url=url,
                events=events,
                since=await self._ledger.last_seq(),
                created_at=self._clock(),
                secret_env=new.secret_env,
            )
            self._files.add(hook, secret)
            await note(self._ledger, hook.id, up_to=hook.since)
        shown = self._shown(hook, Progress())
        return replace(shown, secret=secret) if made else shown

    async def _begin_with_agents(self) -> None:
        """How agents stand now is no news, unless another webhook waits for it."""
        if any("agent.status_changed" in one.events for one in self._files.all()):
            await self._noticing.agents()
        else:
            await self._noticing.baseline()

    def _secret_for(self, new: NewWebhook) -> tuple[str, bool]:
        """What is kept of a secret, and whether it was made."""
        if new.secret and new.secret_env:
            raise UsageError("a secret is given, or stands in the environment; not both")
        if not new.secret_env:
            return (checked_secret(new.secret), False) if new.secret else (new_secret(), True)
        name = checked_variable(new.secret_env)
        if not (found := os.environ.get(name, "")):
            raise UsageError(
                f"{name} is not set where the home's host runs",
                hint="set it there and begin the host anew: `ska down`, then `ska up`",
            )
        checked_secret(found)
        return "", False

    async def test(self, webhook: str) -> WebhookDelivery:
        hook = self._files.get(webhook)
        now = self._clock()
        occasion = Occasion(
            id=event_id("test", hook.id, secrets.token_hex(16)),
            event="webhook.test",
            at=now,
            fields={"webhook_id": hook.id},
        )
        answer, line = await self._once(hook, occasion)
        if answer.taken:
            known = (await progress_of(self._ledger, [hook.id]))[hook.id]
            if known.failing:
                await self._revive(hook)
        return line

    async def resume(self, webhook: str) -> Webhook:
        hook = self._files.get(webhook)
        await self._revive(hook)
        return self._shown(hook, (await progress_of(self._ledger, [hook.id]))[hook.id])

    async def remove(self, webhook: str) -> Webhook:
        hook = self._files.get(webhook)
        async with self._lock:
            known = (await progress_of(self._ledger, [hook.id]))[hook.id]
            self._files.remove(hook)
        if task := self._running.get(hook.id):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return self._shown(hook, known)

    async def log(self, webhook: str, *, limit: int = 50) -> operations.ListOfDeliveries:
        hook = self._files.get(webhook)
        known = (await progress_of(self._ledger, [hook.id]))[hook.id]
        return [*reversed(known.lines)][: max(0, limit)]

    async def _revive(self, hook: Kept) -> None:
        said = {"failing": False, "problem": "", "head": "", "attempts": 0, "next_try": None}
        await note(self._ledger, hook.id, **said)
        self._asleep.pop(hook.id, None)
        self._looked.pop(hook.id, None)

    async def _once(self, hook: Kept, occasion: Occasion) -> tuple[Answer, WebhookDelivery]:
        """One try that no other follows, with its line in the log."""
        answer = await self._sending.attempt(hook, occasion)
        now = self._clock()
        line = line_of(hook, occasion, answer, attempts=1, now=now)
        taken = {"taken_at": now} if answer.taken else {}
        await note(self._ledger, hook.id, lines=[line], **taken)
        return answer, line

    # -- a way out for the inbox -------------------------------------------------------------

    def check(self, webhook: str) -> None:
        """Raises NotFound, with the nearest, for a webhook there is none of."""
        self._files.get(webhook)

    def missing(self, webhook: str) -> str:
        """What keeps it from being told anything here; empty where nothing does."""
        try:
            return "" if self._files.secret(self._files.get(webhook)) else NO_SECRET
        except (NotFound, StoreError) as problem:
            return problem.message

    async def send_item(self, item: InboxItem, webhook: str) -> str:
        """Brings an item of the inbox there as the event `inbox.item`, whatever events it wants,
        and gives the event's id; raises NotDelivered."""
        try:
            hook = self._files.get(webhook)
        except (NotFound, StoreError) as problem:
            raise NotDelivered(problem.message, hint=problem.hint, again=False) from None
        if (await progress_of(self._ledger, [hook.id]))[hook.id].failing:
            raise NotDelivered(
                f"webhook {hook.id} is failing", hint=f"ska webhooks test {hook.id}", again=False
            )
        occasion = await self._occasions.item(item)
        if occasion is None:
            raise NotDelivered("it is private, which leaves by no webhook", again=False)
        answer, _ = await self._once(hook, occasion)
        if not answer.taken:
            raise NotDelivered(
                f"webhook {hook.id}: {answer.error}",
                hint=f"ska webhooks log {hook.id}",
                again=answer.status != GONE,
                after_s=answer.after_s,
            )
        return occasion.id

    # -- while a host stays ------------------------------------------------------------------

    def begin(self) -> None:
        """From now on what happens is told, and what happened while no host was there."""
        self._watching = asyncio.create_task(self._watch(), name="webhooks")

    async def end(self) -> None:
        """What is on its way just now is sent again by the next host, under the same id."""
        tasks = [*self._running.values(), *filter(None, [self._watching])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._watching = None

    async def look(self) -> None:
        """Begins to send wherever there is something to tell, or to try again."""
        hooks = self._files.all()
        if not hooks:
            return
        await self._notice(hooks)
        last, now = await self._ledger.last_seq(), self._clock()
        for hook in hooks:
            if hook.id in self._running or now < self._asleep.get(hook.id, now):
                continue
            if last > self._looked.get(hook.id, -1) or hook.id in self._asleep:
                task = asyncio.create_task(self._send(hook, last), name=f"webhook {hook.id}")
                self._running[hook.id] = task
                # One that is cancelled before it began runs no line of its own.
                task.add_done_callback(lambda _, key=hook.id: self._running.pop(key, None))

    async def settle(self) -> None:
        """Returns once nothing is being sent."""
        while self._running:
            await asyncio.wait(self._running.values())
            await asyncio.sleep(0)

    async def _watch(self) -> None:
        told = ""
        while True:
            try:
                await self.look()
                told = ""
            except Exception as problem:  # a damaged file is mended, and looked at again
                if (said := redact(str(problem))) != told:
                    _log.warning("webhooks: %s", said)
                    told = said
            await asyncio.sleep(EVERY_S)

    async def _notice(self, hooks: tuple[Kept, ...]) -> None:
        if any("agent.status_changed" in one.events for one in hooks):
            await self._noticing.agents()
        ends = [one.created_at for one in hooks if "conversation.completed" in one.events]
        if ends:
            await self._noticing.conversations(min(ends))

    async def _send(self, hook: Kept, last: int) -> None:
        self._asleep.pop(hook.id, None)
        try:
            known = await self._sending.all_due(hook)
            if known.next_try is not None and not known.failing:
                self._asleep[hook.id] = known.next_try
            self._looked[hook.id] = last
        except Exception as problem:
            _log.warning("webhook %s: %s", hook.id, redact(str(problem)))
            self._asleep[hook.id] = self._clock() + _AFTER_TROUBLE

    def _shown(self, hook: Kept, known: Progress) -> Webhook:
        missing = not self._files.secret(hook)
        state: WebhookState = "paused" if missing else "failing" if known.failing else "active"
        return Webhook(
            id=hook.id,
            url=hook.url,
            events=hook.events,
            state=state,
            secret_env=hook.secret_env,
            failures=known.attempts,
            dropped=known.dropped,
            problem=NO_SECRET if missing else known.problem,
            created_at=hook.created_at,
            last_delivery=known.taken_at,
        )


def _checked_events(wanted: Sequence[str]) -> tuple[WebhookEvent, ...]:
    """In their usual order; raises UsageError for none, or an unknown one."""
    for name in wanted:
        if name not in WEBHOOK_EVENTS:
            near = did_you_mean(name, WEBHOOK_EVENTS)
            known = f"events: {', '.join(WEBHOOK_EVENTS)}"
            raise UsageError(f'no event "{name[:60]}"', hint=near or known)
    if not wanted:
        raise UsageError("no event was named", hint=f"events: {', '.join(WEBHOOK_EVENTS)}")
    found: list[WebhookEvent] = [one for one in WEBHOOK_EVENTS if one in wanted]
    return tuple(found)
