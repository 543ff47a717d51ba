"""Another agent takes a turn over, where the person agrees to it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from skill_agent.conversations.seats_told import told_of
from skill_agent.events import ApprovalAnswered, ApprovalAsked, Event
from skill_agent.identifiers import new_id
from skill_agent.ports import KeepsSeats
from skill_agent.tools.approvals import stored_rule
from skill_agent.turns.hands import Ids
from skill_agent.turns.views import Turn
from skill_agent.turns.workbench import Workbench

TOOL = "handoff"


@dataclass(slots=True)
class TakingOver:
    """One turn on its way to who answers it."""

    turn: Turn
    """As it is now."""
    bench: Workbench
    seats: KeepsSeats

    async def events(self) -> AsyncGenerator[Event, None]:
        """Asks, and keeps what is allowed; denied, the turn stays whose it was."""
        turn, plan, other = self.turn, self.turn.plan, self.turn.instead
        if plan is None or other is None:
            return
        rule = f"{TOOL}:{other.dna.slug}"
        if not self.bench.rules.allows(turn.dna.slug, rule):
            asked = self._asked(plan.ask, rule, other.dna.slug)
            self.bench.announce(asked, turn.request)
            yield asked
            decided = await self.bench.decide(turn.request, asked.approval, asked.rule)
            yield ApprovalAnswered(**_ids(turn), approval=asked.approval, **decided._asdict())
            if decided.choice == "deny":
                return
        message = replace(turn.message, agent=other.dna.slug)
        moments = await self.seats.keep(plan, message, turn.request)
        self.turn = replace(
            turn,
            dna=other.dna,
            model=other.model,
            decided=other.decided,
            message=message,
            instead=None,
        )
        for moment in moments:
            yield told_of(moment, turn.session.id, parent=turn.request.parent)

    def _asked(self, question: str, rule: str, to: str) -> ApprovalAsked:
        turn, asker = self.turn, self.turn.request.requester
        by = f"asked over the API key {asker.name!r}" if asker else ""
        return ApprovalAsked(
            **_ids(turn),
            approval=new_id(),
            tool=TOOL,
            arguments={"to": to},
            rule=stored_rule(turn.dna.slug, rule, tainted=False),
            reason="; ".join(filter(None, (by, question))),
            timeout_s=self.bench.settings.tools.approval_timeout_s,
        )


def _ids(turn: Turn) -> Ids:
    return Ids(
        session=turn.session.id,
        turn=turn.id,
        agent=turn.dna.slug,
        parent=turn.request.parent,
    )
