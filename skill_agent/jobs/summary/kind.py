"""A job that sums up: `--kind summary`."""

from collections.abc import Awaitable, Callable

from skill_agent.agents.directory import AgentDirectory
from skill_agent.errors import SkillAgentError
from skill_agent.identifiers import new_id
from skill_agent.jobs.kinds.kind import Kind, Outcome
from skill_agent.memory.extraction.model import able
from skill_agent.models.money.purses import Purse, Purses
from skill_agent.ports import Clock, Model
from skill_agent.values import Job, JobRun

from .span import Coverage
from .summaries import Summaries
from .wording import Wording


class SummaryKind(Kind):
    """It tells what no earlier run of the job has told, and is silent where that is nothing."""

    repeatable = True

    def __init__(
        self,
        summaries: Summaries,
        coverage: Coverage,
        *,
        clock: Clock,
        directory: AgentDirectory,
        purses: Purses,
        model: Callable[[str], Awaitable[Model]],
    ) -> None:
        self._summaries, self._coverage, self._clock = summaries, coverage, clock
        self._directory, self._purses, self._model = directory, purses, model

    async def preflight(self, job: Job) -> None:
        """Raises NotFound for an agent there is none of. Without a model it does its work too."""
        if job.agent:
            self._directory.get(job.agent)

    async def is_local(self, job: Job) -> bool:
        try:
            info = (await self._model(job.agent)).info
        except SkillAgentError:
            return False
        return info.local and able(info)

    async def run(self, job: Job, run: JobRun) -> Outcome:
        zone = job.schedule.timezone
        now = self._clock()
        span = await self._coverage.next(job.id, run.id, first=job.created_at, now=now, zone=zone)
        if span is None:
            return Outcome(agent=job.agent)
        facts = await self._summaries.of(span, key=job.by)
        if facts.empty:
            return Outcome(agent=job.agent)
        turn = run.turn or new_id()
        purse = Purse(f"the job {job.name!r}", usd=job.limits.max_usd, tokens=job.limits.max_tokens)
        with self._purses.tied(turn, purse):
            try:
                made = await self._summaries.worded(
                    facts, agent=job.agent, max_tokens=job.limits.max_tokens, turn=turn
                )
            finally:
                purse.close()
        await self._coverage.made(job.id, run.id, span)
        return Outcome(
            text=made.text,
            title=Wording(made.language).title(facts.span),
            sort="summary",
            private=made.private,
            agent=job.agent,
            tokens_used=purse.own_tokens,
            cost_usd=purse.own_usd,
            origins=made.origins,
            quotes=tuple(dict.fromkeys(one.id for one in made.talks)),
        )

    async def found(self, job: Job, run: JobRun) -> Outcome | None:
        """It is made again, from where it began."""
        return None
