"""Times of day: what the words beside an hour make of it."""

from collections.abc import Sequence

from skill_agent.errors import UsageError

from .parts import Part
from .words import Clock

_PARTS: dict[str, tuple[range, range, range]] = {
    # hours that are moved to the second half of the day, those that stand, those that are midnight
    "morning": (range(0), range(1, 12), range(0)),
    "afternoon": (range(1, 8), range(12, 19), range(0)),
    "evening": (range(4, 12), range(16, 24), range(0)),
    "night": (range(6, 12), range(18, 24), range(6)),
}
_NOON = 12


def time_of(clock: Clock, part: str, said: str) -> tuple[int, int]:
    """Hour and minute; raises UsageError where the words contradict each other."""
    hour = clock.hour
    if clock.half:
        if not 1 <= hour <= _NOON:
            raise _no_time(said)
        hour = hour % _NOON + (_NOON if clock.half == "pm" else 0)
    if not (0 <= hour <= 23 and 0 <= clock.minute <= 59):
        raise _no_time(said)
    if part:
        hour = _in_part(hour, part, said)
    return hour, clock.minute


def _in_part(hour: int, part: str, said: str) -> int:
    later, stands, small = _PARTS[part]
    if hour in later:
        return hour + _NOON
    if hour in stands or hour in small:
        return hour
    raise UsageError(
        f'"{said}" is no time in the {part}', hint="write it as 09:00 or 21:00, without the word"
    )


def times_of_day(parts: Sequence[Part]) -> list[tuple[int, int]]:
    """All that a saying names, in order."""
    named = {
        one.word("part") or one.word("parts") or one.word("named").partition(" ")[2]
        for one in parts
        if one.kind in ("part", "daily_part", "named")
    } - {""}
    if len(named) > 1:
        raise UsageError(f"two parts of the day: {', '.join(sorted(named))}", hint="leave one out")
    part = next(iter(named), "")
    clocks = [one for one in parts if one.kind in ("clock", "hour")]
    return sorted({time_of(one.clock(), part, one.said) for one in clocks})


def hours_between(window: Part, *, with_last: bool) -> list[int]:
    """The full hours of a stretch of the day, which may go past midnight."""
    ends = [time_of(window.clock(slot), "", window.said) for slot in ("from", "to")]
    if any(minute for _, minute in ends):
        raise UsageError(f'"{window.said}" has to begin and end at a full hour')
    first, last = ends[0][0], ends[1][0]
    count = (last - first) % 24 + with_last
    if first == last:
        raise UsageError(f'"{window.said}" ends where it begins')
    return [(first + one) % 24 for one in range(count)]


def _no_time(said: str) -> UsageError:
    return UsageError(f'"{said}" is no time of day', hint="write it as 9am, 9:30 or 21:00")
