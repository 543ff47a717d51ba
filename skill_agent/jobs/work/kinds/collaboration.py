"""A collaboration as background work: followed, not done; it keeps itself."""

from contextlib import suppress
from dataclasses import dataclass

from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.events import CollaborationChanged
from skill_agent.jobs.work.kind import Errand, Kind, Outcome, wanted
from skill_agent.jobs.work.step import Step
from skill_agent.team.operations import CollaborationOperations
from skill_agent.team.tasks.working import to_its_end
from skill_agent.turns.operations import TurnOperations
from skill_agent.values import Collaboration, NewWork, all_origins

_WORDS = {"pause": "paused", "cancel": "stopped by the person"}


@dataclass(frozen=True, slots=True)
class _Followed:
    collaboration: str


class Together(Kind):
    """A collaboration that was begun. Paused or stopped, it is stopped; resumed, it goes on after
    the last step that was finished. After a crash it is taken up by itself, and followed on."""

    name = "collaboration"
    takes_place = False

    def __init__(self, collaborations: CollaborationOperations, turns: TurnOperations) -> None:
        self._collaborations, self._turns = collaborations, turns

    async def checked(self, new: NewWork) -> Errand:
        asked = wanted(new.payload, _Followed)
        one = await self._collaborations.get(asked.collaboration)
        return Errand(
            title=one.goal,
            payload={"collaboration": one.id},
            session=one.conversation,
            agent=one.lead,
        )

    async def do(self, step: Step) -> Outcome:
        name = wanted(step.work.payload, _Followed).collaboration
        one = await self._collaborations.get(name)
        if one.status in ("cancelled", "failed", "timed_out") and step.marks.get("stopped"):
            one = await self._collaborations.resume(name)
        try:
            one = await self._followed(step, one)
        finally:
            if words := _WORDS.get(step.stopping):
                step.keep(stopped=True)
                with suppress(SkillAgentError):
                    await to_its_end(self._collaborations.cancel(name, reason=words))
        if one.status != "completed":
            step.keep(stopped=True)  # tried again by hand, it is resumed
            raise UsageError(f"{one.status.replace('_', ' ')}: {one.error}".rstrip(": "))
        return Outcome(text=one.final_output, origins=all_origins(("agent",), one.origins))

    async def _followed(self, step: Step, one: Collaboration) -> Collaboration:
        """It as it ended."""
        with self._turns.subscribe() as events:
            one = await self._collaborations.get(one.id)
            while not one.ended:
                done, planned = len(one.stages_completed), len({each.stage for each in one.plan})
                step.tell(done, max(planned, done), one.current_stage or "working")
                async for event in events:
                    if isinstance(event, CollaborationChanged) and event.collaboration == one.id:
                        break
                one = await self._collaborations.get(one.id)
        return one
