"""A job that asks an agent: one turn nobody watches, in a conversation of its own.

A reply to what it told goes on in that conversation. What would need a person's approval is denied,
and said in the result.
"""

from dataclasses import replace

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.conversations import Conversations
from skill_agent.conversations.turn_ends import state_of
from skill_agent.errors import AgentUnavailable, UsageError
from skill_agent.models.models import Models
from skill_agent.models.money.purses import Purse, Purses
from skill_agent.ports import Ledger
from skill_agent.team.tasks import nested as turn
from skill_agent.text.clock import day_of
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import Job, JobRun, Requester, TurnRequest, all_origins

from .failing import class_of_turn
from .kind import Kind, Outcome
from .silence import SILENT, is_silent

_ASKED = (
    "This is the scheduled job {name!r}; nobody watches. Give the result and ask nothing back. "
    f"If there is nothing worth telling, answer {SILENT} and nothing else."
)


class AgentKind(Kind):
    """`--kind agent`."""

    repeatable = False

    def __init__(
        self,
        *,
        turns: TurnOperations,
        ledger: Ledger,
        directory: AgentDirectory,
        models: Models,
        conversations: Conversations,
        purses: Purses,
    ) -> None:
        self._turns, self._ledger, self._directory = turns, ledger, directory
        self._models, self._conversations, self._purses = models, conversations, purses

    async def preflight(self, job: Job) -> None:
        dna = self._agent(job)
        if not job.prompt.strip():
            raise UsageError("it asks nothing", hint=f'ska jobs edit {job.id} --prompt "…"')
        if job.limits.max_usd is not None and job.limits.max_usd < 0:
            raise UsageError("it may spend nothing", hint=f"ska jobs edit {job.id} --max-usd 0.25")
        await self._models.ready(dna)

    async def is_local(self, job: Job) -> bool:
        return (await self._models.of(self._agent(job))).info.local

    async def run(self, job: Job, run: JobRun) -> Outcome:
        limits = job.limits
        purse = Purse(f"the job {job.name!r}", usd=limits.max_usd, tokens=limits.max_tokens)
        assert run.turn is not None
        with self._purses.tied(run.turn, purse):
            try:
                came = await turn.nested(
                    self._turns, self._ledger, self._request(job, run.turn),
                    begun=lambda: self._title(job, run),
                )  # fmt: skip
            finally:
                purse.close()
        spent = Outcome(
            text=came.text,
            agent=job.agent,
            session=came.session,
            tokens_used=purse.own_tokens,
            cost_usd=purse.own_usd,
            origins=all_origins(job.origins, came.origins),
        )
        if purse.refused or came.reason is not None:
            kind = "budget" if purse.refused else class_of_turn(came.reason)
            told = came.problem or "what the run may spend is used up"
            return replace(spent, error_kind=kind, error=told)
        return _told(spent, denied=came.denied)

    async def found(self, job: Job, run: JobRun) -> Outcome | None:
        """The reply of a turn that came to its end before the program did."""
        if run.turn is None:
            return None
        messages = await self._ledger.turn(run.turn)
        state = await state_of(self._ledger, messages)
        if state is None or state.state != "finished":
            return None
        reply = await self._ledger.message(state.message_id) if state.message_id else None
        used = state.usage
        return _told(
            Outcome(
                text=state.text,
                agent=job.agent,
                session=state.session,
                tokens_used=used.completion_tokens if used else 0,
                cost_usd=used.cost_usd if used else 0.0,
                origins=all_origins(job.origins, reply.origins if reply else ()),
            )
        )

    def _agent(self, job: Job) -> AgentDNA:
        """Raises NotFound with the nearest, AgentUnavailable for one that is not active."""
        dna = self._directory.get(job.agent)
        if dna.status != "active":
            raise AgentUnavailable(
                f"{dna.name} is {dna.status}", hint=f"ska agents activate {dna.slug}"
            )
        return dna

    def _request(self, job: Job, turn: str) -> TurnRequest:
        by = None
        if job.by:  # what its key may do is not known any more
            by = Requester(key=job.by, name=job.by, scopes=frozenset({"chat"}))
        return TurnRequest(
            job.prompt,
            agent=job.agent,
            use_memory=by is None,
            interactive=False,
            key=turn,
            system=_ASKED.format(name=job.name),
            zone=job.schedule.timezone,
            detach=True,
            requester=by,
            origins=job.origins,
            max_tool_calls=job.limits.max_tool_calls,
            chain=(f"the job {job.name}",),
        )

    async def _title(self, job: Job, run: JobRun) -> None:
        """The conversation is found by the job's name and the day."""
        assert run.turn is not None
        messages = await self._ledger.turn(run.turn)
        if messages:
            title = f"{job.name}, {day_of(run.due, job.schedule.timezone)}"
            await self._conversations.rename(messages[0].session, title)


def _told(outcome: Outcome, *, denied: str = "") -> Outcome:
    """What is to be told of a reply."""
    text = "" if is_silent(outcome.text) else outcome.text
    if denied:
        text += f"\n\n({denied} needed an approval that nobody could give; it was not done.)"
    return replace(outcome, text=text.strip())
