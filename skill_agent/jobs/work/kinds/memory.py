"""Long work on memory: the search index made again, memory tidied up, the ledger looked through."""

from dataclasses import dataclass

from skill_agent.jobs.work.kind import Errand, Kind, Outcome, wanted
from skill_agent.jobs.work.step import Step
from skill_agent.memory.operations import MemoryOperations, UpkeepOperations
from skill_agent.values import NewWork

_EMPTIED = "emptied"


@dataclass(frozen=True, slots=True)
class _Nothing:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tidying:
    summarise: bool = True


class Rebuild(Kind):
    """The search index, made again from the ledger. Paused, it goes on with what is missing; after
    a crash it begins anew."""

    name = "rebuild"

    def __init__(self, memory: MemoryOperations) -> None:
        self._memory = memory

    async def checked(self, new: NewWork) -> Errand:
        wanted(new.payload, _Nothing)
        return Errand(title="Rebuild the search index")

    async def do(self, step: Step) -> Outcome:
        if step.marks.get(_EMPTIED) is True:
            await self._memory.settle(step.tell)
            return Outcome(text="the search index is whole again")

        def progress(done: int, total: int, what: str) -> None:
            step.keep(**{_EMPTIED: True})
            step.tell(done, total, what)

        count = await self._memory.rebuild(progress)
        return Outcome(text=f"{count:,} items indexed")


class Consolidate(Kind):
    """Memory tidied up. Each change is one of its own: cut short, it goes over what is left."""

    name = "consolidate"

    def __init__(self, upkeep: UpkeepOperations) -> None:
        self._upkeep = upkeep

    async def checked(self, new: NewWork) -> Errand:
        asked = wanted(new.payload, _Tidying)
        return Errand(title="Tidy up the memory", payload={"summarise": asked.summarise})

    async def do(self, step: Step) -> Outcome:
        asked = wanted(step.work.payload, _Tidying)
        report = await self._upkeep.consolidate(summarise=asked.summarise, progress=step.tell)
        kinds = ("merged", "summarised", "promoted", "demoted", "fading")
        counted = ", ".join(f"{report.count(kind)} {kind}" for kind in kinds)
        return Outcome(text=counted)


class Verify(Kind):
    """Every log row against its hash, every memory against the log; it only reads."""

    name = "verify"

    def __init__(self, memory: MemoryOperations) -> None:
        self._memory = memory

    async def checked(self, new: NewWork) -> Errand:
        wanted(new.payload, _Nothing)
        return Errand(title="Verify the ledger")

    async def do(self, step: Step) -> Outcome:
        await step.point(what="reading the log")
        report = await self._memory.verify()
        looked = f"{report.rows:,} log rows, {report.memories:,} memories"
        problems = "".join(f"\n{one}" for one in report.problems)
        return Outcome(text=f"{looked}: {len(report.problems) or 'no'} problems{problems}")
