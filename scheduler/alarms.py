"""Alarms by APScheduler, with its jobs in memory: what is due is decided by whoever hears them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from skill_agent.ports import Alarms, Calendar
from skill_agent.values import Schedule

LOOK_EVERY_S = 30.0
"""How often the two clocks are compared."""
SHIFT_S = 2.0
"""So far apart, the machine has slept or its clock was set."""
_THEIRS = {
    "apscheduler.executors.default": logging.CRITICAL,
    "apscheduler.scheduler": logging.ERROR,
}
"""Its own logs; what they would say beyond this is heard as events and said here."""

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


class SchedulerAlarms(Alarms):
    """An `AsyncIOScheduler` of one process."""

    def __init__(
        self,
        calendar: Calendar,
        *,
        wall: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._calendar = calendar
        self._wall = wall
        self._monotonic = monotonic
        self._look_every_s = look_every_s
        self._scheduler: Any = None
        self._fire: Callable[[str], Awaitable[object]] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Future[object]] = set()

    def begin(self, fire: Callable[[str], Awaitable[object]]) -> None:
        from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        for name, level in _THEIRS.items():
            logging.getLogger(name).setLevel(level)
        self._fire = fire
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            # without these, what is a second late is dropped and the rest rings again and again
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.add_listener(
            _tell, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES
        )
        self._scheduler.start()
        self._watch = asyncio.get_running_loop().create_task(self._compare_clocks())

    def put(self, id: str, schedule: Schedule) -> None:
        if self._scheduler is None:
            return
        from .trigger import ScheduleTrigger

        now = self._wall()
        first = self._calendar.next_fire(schedule, now)
        if first is None and schedule.kind == "once":
            first = now  # it passed a moment ago
        if first is None:
            self.drop(id)
            return
        self._scheduler.add_job(
            self._go_off,
            ScheduleTrigger(self._calendar, schedule),
            args=[id],
            id=id,
            next_run_time=first,
            replace_existing=True,
        )

    def drop(self, id: str) -> None:
        if self._scheduler is not None and self._scheduler.get_job(id):
            self._scheduler.remove_job(id)

    async def end(self) -> None:
        """Whoever is just hearing an alarm is cancelled."""
        scheduler, self._scheduler = self._scheduler, None
        if scheduler is None:
            return
        scheduler.pause()
        asked = [*self._under_way, *([self._watch] if self._watch else [])]
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        for _ in range(3):  # its own tasks end before it does: otherwise it logs them as errors
            await asyncio.sleep(0)
        scheduler.shutdown(wait=False)
        await asyncio.sleep(0)

    async def _go_off(self, id: str) -> None:
        assert self._fire is not None  # nothing goes off before it begins
        heard = asyncio.ensure_future(self._fire(id))
        self._under_way.add(heard)
        try:
            await asyncio.wait([heard])
        finally:
            self._under_way.discard(heard)
        if not heard.cancelled():
            heard.result()

    async def _compare_clocks(self) -> None:
        """Both clocks go on alike, unless the machine sleeps or somebody sets one of them."""
        wall, steady = self._wall(), self._monotonic()
        while True:
            await asyncio.sleep(self._look_every_s)
            wall_now, steady_now = self._wall(), self._monotonic()
            went = steady_now - steady
            shift = (wall_now - wall).total_seconds() - went
            wall, steady = wall_now, steady_now
            if abs(shift) > SHIFT_S or went > 2 * self._look_every_s + SHIFT_S:
                await self._notice(timedelta(seconds=shift))

    async def _notice(self, shift: timedelta) -> None:
        _log.info("the machine slept or its clock was set: %+.0f s", shift.total_seconds())
        if shift < timedelta():
            self._bring_forward()
        self._scheduler.wakeup()
        try:
            await self._go_off("")
        except Exception:
            _log.exception("looking at everything failed")

    def _bring_forward(self) -> None:
        """What was put off to a future that is now farther away, goes off in time."""
        now = self._wall()
        for job in self._scheduler.get_jobs():
            first = job.trigger.get_next_fire_time(None, now)
            if first is not None and first < job.next_run_time:
                self._scheduler.modify_job(job.id, next_run_time=first)


def _tell(event: Any) -> None:
    from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED

    if event.code == EVENT_JOB_ERROR:
        _log.error("the alarm of %s failed", event.job_id, exc_info=event.exception)
    elif event.code == EVENT_JOB_MISSED:
        _log.error("the alarm of %s was missed at %s", event.job_id, event.scheduled_run_time)
    else:
        _log.warning("the alarm of %s came while the one before was still heard", event.job_id)
