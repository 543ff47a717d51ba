"""What a kind of job has to be able to do; a new kind is one class, named in `AutomationParts`."""

from dataclasses import dataclass
from typing import Protocol

from skill_agent.values import ErrorKind, ItemSort, Job, JobRun, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a run. It went well where there is no `error_kind`."""

    text: str = ""
    """What is told to the person; empty, there is nothing to say."""
    error_kind: ErrorKind = ""
    error: str = ""
    hint: str = ""
    title: str = ""
    """Of what is told; empty, the job's name."""
    sort: ItemSort = "result"
    private: bool = False
    agent: str = ""
    session: str | None = None
    """The conversation in which a reply to it goes on."""
    tokens_used: int = 0
    cost_usd: float | None = 0.0
    origins: tuple[Origin, ...] = ()
    quotes: tuple[str, ...] = ()
    """Conversations whose words the text repeats: with any of them it is erased."""


class Kind(Protocol):
    """One kind of job."""

    repeatable: bool
    """Whether a run that was cut short when the home was closed may simply be done again."""

    async def preflight(self, job: Job) -> None:
        """Raises SkillAgentError, with what to do next, for whatever would keep a run from doing
        its work. Spends nothing."""
        ...

    async def is_local(self, job: Job) -> bool:
        """Whether a run needs the model that runs on this machine, which serves one at a time."""
        ...

    async def run(self, job: Job, run: JobRun) -> Outcome:
        """Does it, as the turn `run.turn` where it is one; the time it may take is the caller's
        care. What goes wrong is an outcome, or raised: `kinds/failing.py` says of what class it
        is."""
        ...

    async def found(self, job: Job, run: JobRun) -> Outcome | None:
        """What came of a run although the program ended meanwhile; None where nobody knows."""
        ...


class Plain(Kind):
    """A kind that needs no model and leaves nothing to be found."""

    repeatable = False

    async def preflight(self, job: Job) -> None: ...

    async def is_local(self, job: Job) -> bool:
        return False

    async def found(self, job: Job, run: JobRun) -> Outcome | None:
        return None
