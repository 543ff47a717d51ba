"""What changed of who takes part in a conversation, as the event that tells it."""

from skill_agent.events import HandedOff, SeatChanged
from skill_agent.values import SeatMoment


def told_of(
    moment: SeatMoment, session: str, *, parent: str | None = None
) -> HandedOff | SeatChanged:
    """The same whenever it is told: in its turn, beside one, and when it is read later."""
    if moment.move == "leads":
        return HandedOff(
            session=session,
            turn=moment.turn,
            agent=moment.agent,
            parent=parent,
            id=moment.id,
            came_from=moment.came_from,
            reason=moment.reason,
        )
    return SeatChanged(
        session=session,
        turn=moment.turn,
        agent=moment.agent,
        parent=parent,
        id=moment.id,
        change=moment.move,
    )
