"""The jobs of a home: kept, changed, looked up; when and how they run is the engine's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import parse_time
from skill_agent.ports import Calendar, Clock
from skill_agent.text.checks import sound_text
from skill_agent.values import Job, JobKind

from .built_in import Chores, with_status
from .due import Accounted, Due, due
from .records import JobRecords, Kept, job_in
from .schedules.preview import shown as shown_moment

_SHORTEST_REF = 4
_COMING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A job, and what the ledger tells of its runs."""

    job: Job
    kept: Kept

    @property
    def accounted(self) -> Accounted:
        """A chore that was done by hand accounts for what would have been due before."""
        known = self.kept.accounted
        return known.through(self.job.created_at) if self.job.built_in else known

    @property
    def since(self) -> datetime:
        if self.job.built_in:
            return max(self.job.created_at, self.kept.since or self.job.created_at)
        return self.kept.since or self.job.created_at

    @property
    def runs(self) -> bool:
        """Whether it has times to come."""
        return self.job.status == "active" and not self.kept.dead and not self.kept.removed

    def due(self, calendar: Calendar, now: datetime) -> Due:
        return due(
            self.job.schedule, calendar, self.accounted, self.since, now,
            catch_up=self.job.catch_up,
        )  # fmt: skip


class JobBook:
    """Every job, the built-in ones among them."""

    def __init__(
        self, records: JobRecords, chores: Chores, calendar: Calendar, clock: Clock
    ) -> None:
        self._records, self._chores = records, chores
        self._calendar, self._clock = calendar, clock

    async def all(self) -> list[Standing]:
        """Those that were not removed."""
        ids = [one for one in await self._records.ids() if one not in self._chores.ids]
        kept = await self._records.some([*ids, *self._chores.ids])
        own = [Standing(job=job, kept=kept[one]) for one in ids if (job := job_in(kept[one]))]
        chores = [await self._chore(one, kept[one]) for one in self._chores.ids]
        return [one for one in (*chores, *own) if not one.kept.removed]

    async def get(self, job: str) -> Standing | None:
        """By its exact id, also one that was removed."""
        return (await self.some([job])).get(job)

    async def some(self, ids: Sequence[str]) -> dict[str, Standing]:
        """Those that exist, by exact id, also removed ones."""
        kept, found = await self._records.some(ids), dict[str, Standing]()
        chores: dict[str, JobKind] = {kind: kind for kind in self._chores.ids}
        for name in ids:
            if name in chores:
                found[name] = await self._chore(chores[name], kept[name])
            elif job := job_in(kept[name]):
                found[name] = Standing(job=job, kept=kept[name])
        return found

    async def chores(self) -> list[Standing]:
        """The built-in ones alone."""
        return list((await self.some(self._chores.ids)).values())

    async def chores_due(self) -> bool:
        """Whether the time of a built-in job has passed."""
        now = self._clock()
        moments = [self.next_run(one, now) for one in await self.chores()]
        return any(one is not None and one <= now for one in moments)

    async def _chore(self, kind: JobKind, kept: Kept) -> Standing:
        return Standing(job=with_status(await self._chores.job(kind), kept.said), kept=kept)

    async def find(self, ref: str) -> Standing:
        """By id, the name, or the beginning of either; raises NotFound with the nearest, UsageError
        where several fit. One that was removed is found by its whole id."""
        ref = ref.strip()
        if not ref:
            raise UsageError("which job?", hint="ska jobs list")
        sound_text(ref, "the job's name")
        if (exact := await self.get(ref.lower())) is not None:
            return exact
        every = await self.all()
        found = [one for one in every if one.job.name.casefold() == ref.casefold()]
        if not found and len(ref) >= _SHORTEST_REF:
            found = [one for one in every if _begins_with(one.job, ref.casefold())]
        match found:
            case [one]:
                return one
            case []:
                raise NotFound(f"no job {ref!r}", hint=_nearest(ref, every))
            case several:
                named = "; ".join(f"{one.job.id} {one.job.name!r}" for one in several[:5])
                raise UsageError(f"{ref!r} fits {len(several)} jobs", hint=f"use an id: {named}")

    def shown(self, one: Standing) -> Job:
        """The job with what is known of it now."""
        job, kept, now = one.job, one.kept, self._clock()
        next_run = self.next_run(one, now)
        over = job.status == "active" and job.schedule.kind == "once" and _is_over(one, kept)
        return replace(
            job,
            status="ended" if kept.removed or over else job.status,
            next_run=next_run,
            next_run_local=shown_moment(next_run, job.schedule.timezone) if next_run else "",
            running=bool(kept.open),
            last_run=kept.last_run,
            last_state=kept.last_state,
            failures=kept.failures,
            dead=kept.dead,
            problem=kept.problem,
        )

    def shown_whole(self, one: Standing) -> Job:
        """As `shown`, with the next few fire times."""
        shown = self.shown(one)
        moments: list[datetime] = []
        found = shown.next_run
        while found is not None and len(moments) < _COMING:
            moments.append(found)
            found = self._calendar.next_fire(shown.schedule, max(found, self._clock()))
        local = tuple(shown_moment(moment, shown.schedule.timezone) for moment in moments)
        return replace(shown, next_runs=tuple(moments), next_runs_local=local)

    def next_run(self, one: Standing, now: datetime) -> datetime | None:
        """A moment that has passed is due now."""
        if not one.runs:
            return None
        found = one.due(self._calendar, now)
        return found.run or found.next

    def check_name(self, name: str, every: Sequence[Standing], *, but: str = "") -> None:
        """Raises UsageError for a name that another job has."""
        for one in every:
            if one.job.name.casefold() == name.casefold() and one.job.id != but:
                raise UsageError(
                    f"there is a job {one.job.name!r} already", hint="ska jobs list; --name NAME"
                )


def _is_over(one: Standing, kept: Kept) -> bool:
    until = kept.accounted.until
    moment = parse_time(one.job.schedule.expression)
    return until is not None and until >= moment and not kept.open


def _begins_with(job: Job, ref: str) -> bool:
    return job.id.startswith(ref) or job.name.casefold().startswith(ref)


def _nearest(ref: str, every: Sequence[Standing]) -> str:
    from rapidfuzz import process

    names = {one.job.name.casefold(): one.job.name for one in every}
    near = process.extractOne(ref.casefold(), list(names), score_cutoff=60)
    return f"did you mean {names[near[0]]!r}?" if near else "ska jobs list"
