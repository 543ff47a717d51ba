"""What can be done with jobs and background work, as interfaces with their routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import (
    Job,
    JobChange,
    JobFinding,
    JobRun,
    NewJob,
    NewWork,
    SchedulePreview,
    Work,
)

ListOfJobs = list[Job]
ListOfRuns = list[JobRun]
ListOfFindings = list[JobFinding]
ListOfWork = list[Work]


class JobOperations(Protocol):
    """What is done at its times."""

    @route("GET", "/v1/jobs", scope="read")
    async def list(self) -> ListOfJobs:
        """Every job, the next one first. A key sees its own, with the scope `admin` all."""
        ...

    @route("GET", "/v1/jobs/preview", scope="read")
    async def preview(self, when: str, *, timezone: str = "", count: int = 3) -> SchedulePreview:
        """How words for a time are understood, with the next fire times."""
        ...

    @route("GET", "/v1/jobs/doctor", scope="read")
    async def doctor(self) -> ListOfFindings:
        """What is wrong with jobs, and what to do about it."""
        ...

    @route("POST", "/v1/jobs", scope="admin", status=201, key="key")
    async def add(self, new: NewJob) -> Job:
        """Keeps a job; what an agent proposes waits for a person."""
        ...

    @route("GET", "/v1/jobs/{job}", scope="read")
    async def get(self, job: str) -> Job:
        """A job by its id, the beginning of it, or its name."""
        ...

    @route("PATCH", "/v1/jobs/{job}", scope="admin", once=True)
    async def edit(self, job: str, change: JobChange) -> Job: ...

    @route("POST", "/v1/jobs/{job}/approve", scope="admin")
    async def approve(self, job: str) -> Job:
        """Lets a proposed job begin."""
        ...

    @route("POST", "/v1/jobs/{job}/pause", scope="admin")
    async def pause(self, job: str) -> Job: ...

    @route("POST", "/v1/jobs/{job}/resume", scope="admin")
    async def resume(self, job: str) -> Job:
        """Goes on with a paused or given-up job; what was due meanwhile is not caught up."""
        ...

    @route("DELETE", "/v1/jobs/{job}", scope="admin", once=True)
    async def remove(self, job: str) -> Job:
        """Its history stays."""
        ...

    @route("POST", "/v1/jobs/{job}/run", scope="admin", status=202, once=True)
    async def run(self, job: str) -> JobRun:
        """Begins a run now, beside its times."""
        ...

    @route("GET", "/v1/jobs/{job}/history", scope="read")
    async def history(self, job: str, *, limit: int = 50) -> ListOfRuns:
        """What became of its fire times, newest first."""
        ...

    @route("GET", "/v1/runs/{run}", scope="read")
    async def get_run(self, run: str) -> JobRun: ...

    @route("DELETE", "/v1/runs/{run}", scope="admin")
    async def cancel_run(self, run: str) -> JobRun:
        """Ends a run that is under way."""
        ...


class WorkOperations(Protocol):
    """Long work in the background."""

    @route("GET", "/v1/work", scope="read")
    async def list(self, *, ended: bool = True, limit: int = 50) -> ListOfWork:
        """What is under way and waits, then what has ended, newest first. A key sees its own, with
        the scope `admin` all."""
        ...

    @route("POST", "/v1/work", scope="admin", status=202, key="key")
    async def start(self, new: NewWork) -> Work:
        """Puts it in line: the urgent first, whoever came first among equals."""
        ...

    @route("POST", "/v1/work/here", scope="admin", local=True, status=202, key="key")
    async def start_here(self, new: NewWork) -> Work:
        """As `start`, also for what speaks of files on this machine."""
        ...

    @route("GET", "/v1/work/{work}", scope="read")
    async def get(self, work: str) -> Work:
        """A piece of work, by id or its beginning, as it stands now."""
        ...

    @route("POST", "/v1/work/{work}/pause", scope="admin")
    async def pause(self, work: str) -> Work:
        """Has it stand still, within a second where it can; its place goes to others."""
        ...

    @route("POST", "/v1/work/{work}/resume", scope="admin", once=True)
    async def resume(self, work: str) -> Work:
        """Has it go on after a pause, from where its kind can."""
        ...

    @route("POST", "/v1/work/{work}/cancel", scope="admin")
    async def cancel(self, work: str) -> Work:
        """Stops it; what there is of it stays."""
        ...

    @route("POST", "/v1/work/{work}/retry", scope="admin", once=True)
    async def retry(self, work: str) -> Work:
        """Does it once more after it failed, was cancelled or given up."""
        ...
