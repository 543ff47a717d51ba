"""Collaborations as front ends and other parts see them: planned, begun, looked up, stopped, and
taken up again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.idempotency import Once, checked_key, conflict
from skill_agent.conversations.sessions import find_session
from skill_agent.errors import Closing, SkillAgentError, UsageError
from skill_agent.events import Event
from skill_agent.identifiers import iso, new_id
from skill_agent.models.models import Models
from skill_agent.models.money.purses import Purses
from skill_agent.ports import Asks, Clock, Ledger, Model
from skill_agent.settings.schema import Settings
from skill_agent.team import operations
from skill_agent.team.tasks.tasks import RunsTasks
from skill_agent.team.tasks.working import to_its_end
from skill_agent.text.redaction import redact
from skill_agent.turns.fitting import Tokens
from skill_agent.values import Collaboration, NewCollaboration

from .driving import Driver
from .estimate import Estimator
from .giving import Giving
from .patterns import KINDS
from .record import Kept, Records
from .starting import Casting, Rank
from .wording import wording_of
from .work import Tools, Work

_STOPPED = "stopped"
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    """A collaboration under way."""

    work: Work
    task: "asyncio.Task[None]"


class Sessions(operations.CollaborationOperations):
    """The collaborations of one home."""

    def __init__(
        self,
        *,
        settings: Settings,
        ledger: Ledger,
        clock: Clock,
        directory: AgentDirectory,
        models: Models,
        tasks: RunsTasks,
        purses: Purses,
        publish: Callable[[Event], None],
        asks: Callable[[], Asks],
        question_s: float = 86_400.0,
        rank: Rank | None = None,
    ) -> None:
        """A question to the person waits `question_s`. `rank` gives agents by how well they fit a
        goal; without it the directory's order holds."""
        self._settings, self._ledger, self._clock = settings, ledger, clock
        self._directory, self._models = directory, models
        self._records, self._once = Records(ledger), Once()
        self._tools = Tools(
            tasks=tasks,
            records=self._records,
            publish=publish,
            tokens=Tokens(),
            asks=asks,
            question_s=question_s,
        )
        self._giving = Giving(ledger, clock)
        self._driver = Driver(giving=self._giving, purses=purses, clock=clock)
        self._estimator = Estimator(ledger)
        default = settings.general.default_agent
        self._casting = Casting(directory, default, rank or self._in_order)
        self._running: dict[str, _Running] = {}
        self._closing = False

    # -- asked for ---------------------------------------------------------------------------

    async def plan(self, new: NewCollaboration) -> Collaboration:
        """Raises UsageError and NotFound for what cannot be, naming what fits."""
        return await self._planned(new, new_id())

    async def start(self, new: NewCollaboration) -> Collaboration:
        """With the key of one whose process is gone it goes on with that. Raises as `plan` does,
        ModelUnavailable and ModelRejected where it is known that a
        participant's model could not answer, and Conflict where the key stands for another goal.
        Mistakes leave nothing behind."""
        key = checked_key(new.key) if new.key is not None else new_id()
        said = (
            *(new.goal, new.pattern, new.participants, new.lead, new.context),
            new.ask_between,
        )
        known = new.key is not None
        return await self._once.run(key, said, partial(self._begin, new, key, known=known))

    async def run(self, new: NewCollaboration) -> Collaboration:
        """Begins one and waits for its end; cancelled, it stops it first. Raises as `start`."""
        begun = await self.start(new)
        running = self._running.get(begun.id)
        if running is None:
            return (await self._records.get(begun.id)).collaboration
        try:
            await asyncio.shield(running.task)
        except asyncio.CancelledError:
            if running.task.cancelled():
                raise Closing(
                    "the home was closed meanwhile", hint="it is taken up again"
                ) from None
            await to_its_end(self.cancel(begun.id, reason="whoever asked for it was stopped"))
            raise
        return running.work.state

    async def list(
        self, *, limit: int = 50, before: tuple[datetime, str] | None = None
    ) -> operations.Collaborations:
        found = await self._records.newest(limit, before)
        return [self._now(one.collaboration) for one in found]

    async def get(self, collaboration: str) -> Collaboration:
        """Raises NotFound, and UsageError where several begin so."""
        return self._now((await self._records.get(collaboration)).collaboration)

    async def requester(self, collaboration: str) -> str | None:
        """The id of the API key that asked for it; None for the person's own."""
        by = (await self._records.get(collaboration)).requester
        return by.key if by else None

    async def cancel(
        self, collaboration: str, *, reason: str = "", agent: str | None = None
    ) -> Collaboration:
        """Raises NotFound, and UsageError for an agent that takes no part."""
        one = await self.get(collaboration)
        slug = self._participant(one, agent) if agent is not None else None
        running = self._running.get(one.id)
        told = redact(" ".join(reason.split()))[:500] or _STOPPED
        if slug is not None:
            if running is not None:
                await running.work.drop(slug, told)
            return self._now(one)
        if running is not None:
            running.work.ending = told
            running.task.cancel()
            await asyncio.wait([running.task])
        elif not one.ended:  # nobody runs it: the process that did is gone
            kept = await self._records.get(one.id)
            await self._driver.stop(await self._work(kept, {}), "cancelled", told)
        return await self.get(one.id)

    async def resume(self, collaboration: str) -> Collaboration:
        """Its time counts anew, its money does not; what failed is tried again. Raises NotFound,
        and UsageError where it runs, is complete, or its money is spent."""
        self._check_allowed()
        kept = await self._records.get(collaboration)
        one = kept.collaboration
        if one.id in self._running:
            raise UsageError("it runs", hint=f"ska team cancel {one.id}")
        if 0 < one.max_cost_usd <= one.total_cost_usd:
            raise UsageError(
                f"its ${one.max_cost_usd:g} are spent", hint="begin it anew with more (--max-usd)"
            )
        if one.status == "completed" and not any(each.problem for each in one.stage_outputs):
            raise UsageError("it is complete: there is nothing to go on with", hint="begin another")
        now = self._clock()
        await self._records.state(one, resumed=iso(now))
        kept = await self._records.get(one.id)
        return self._drive(await self._work(kept))

    # -- begun -------------------------------------------------------------------------------

    async def _begin(self, new: NewCollaboration, key: str, *, known: bool) -> Collaboration:
        if known and (before := await self._records.known(key)) is not None:
            one = before.collaboration
            if (one.goal, one.pattern) != (new.goal, new.pattern):
                raise conflict(key)
            if one.ended or one.id in self._running:
                return self._now(one)
            return self._drive(await self._work(before))  # whoever ran it is gone
        one = await self._planned(new, key)
        for person in one.participants:
            await self._models.ready(self._directory.get(person.slug))
        if self._closing:
            raise Closing("the home is being closed", hint="try again in a moment")
        one = replace(one, conversation=one.conversation or new_id())
        await self._records.begun(one, new.requester)
        await self._giving.begin(one, new.requester)
        kept = Kept(collaboration=one, began=one.created_at, requester=new.requester)
        return self._drive(await self._work(kept))

    async def _planned(self, new: NewCollaboration, key: str) -> Collaboration:
        self._check_allowed()
        cast = await self._casting.cast(new)
        conversation = None
        if new.conversation is not None:
            conversation = (await find_session(self._ledger, new.conversation)).id
        one = Collaboration(
            id=key,
            goal=new.goal.strip(),
            pattern=new.pattern,
            lead=cast.lead,
            participants=cast.participants,
            context=new.context,
            conversation=conversation,
            parent_task=new.parent_task,
            parent_turn=new.parent_turn,
            created_by=new.created_by,
            max_duration_s=new.max_duration_s,
            max_cost_usd=new.max_cost_usd,
            max_rounds=new.max_rounds,
            interactive=new.interactive,
            ask_between=new.ask_between,
            origins=new.origins,
            created_at=self._clock(),
        )
        people = await self._people(one)
        able = not people[one.lead][1].info.profile.small
        groups = KINDS[one.pattern].plan(one, able)
        estimate = await self._estimator.of(groups, one.goal + one.context, people)
        return replace(
            one,
            plan=estimate.steps,
            estimate_s=round(estimate.seconds, 1),
            estimate_usd=estimate.usd,
        )

    def _check_allowed(self) -> None:
        if not self._settings.features.collaboration:
            raise UsageError(
                "collaboration is switched off",
                hint="set collaboration = true under [features] in config.toml",
            )

    def _drive(self, work: Work) -> Collaboration:
        """No await in here: it runs, or it does not."""
        one = work.state
        work.tell()
        task = asyncio.create_task(self._driver.drive(work), name=f"collaboration {one.id}")
        self._running[one.id] = _Running(work, task)
        task.add_done_callback(lambda _: self._running.pop(one.id, None))
        return one

    async def _work(
        self, kept: Kept, people: Mapping[str, tuple[AgentDNA, Model]] | None = None
    ) -> Work:
        one, now = kept.collaboration, self._clock()
        gone = (now - kept.began).total_seconds()
        return Work(
            state=one,
            tools=self._tools,
            people=people if people is not None else await self._people(one),
            taken_up=now,
            wording=await wording_of(one.goal),
            left_s=kept.left_s if kept.left_s is not None else one.max_duration_s - max(0.0, gone),
            requester=kept.requester,
            resumed=kept.resumed,
        )

    async def _people(self, one: Collaboration) -> Mapping[str, tuple[AgentDNA, Model]]:
        found: dict[str, tuple[AgentDNA, Model]] = {}
        for person in one.participants:
            dna = self._directory.get(person.slug)
            found[person.slug] = dna, await self._models.of(dna)
        return found

    async def _in_order(self, _goal: str) -> Sequence[str]:
        return [dna.slug for dna in self._directory.list("active")]

    def _now(self, kept: Collaboration) -> Collaboration:
        """As it stands in this process, where it runs here."""
        running = self._running.get(kept.id)
        return running.work.state if running else kept

    def _participant(self, one: Collaboration, agent: str) -> str:
        slug = self._directory.get(agent).slug
        if slug not in [each.slug for each in one.participants]:
            raise UsageError(
                f"{slug} takes no part in it",
                hint=f"who does: {', '.join(each.slug for each in one.participants)}",
            )
        return slug

    # -- begin and end -----------------------------------------------------------------------

    async def take_up(self) -> int:
        """Goes on with those that a crash or the end of the home cut short, after the last step
        that was finished; how many there are. One whose time is over ends with what it has."""
        if not self._settings.features.collaboration:
            return 0
        taken = 0
        for kept in await self._records.open():
            try:
                await self._giving.begin(kept.collaboration, kept.requester)
                self._drive(await self._work(kept))
                taken += 1
            except SkillAgentError as problem:  # as of an agent that is gone
                _log.warning("a collaboration is not taken up: %s", problem.message)
                work = await self._work(kept, {})
                await self._driver.stop(work, "failed", problem.message)
        return taken

    async def end(self) -> None:
        """Stops what runs and leaves it open: the next opening takes it up."""
        self._closing = True
        await self._once.close()
        tasks = [one.task for one in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
