"""Words for a time as a schedule."""

from datetime import datetime, timedelta

from skill_agent.errors import UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.values import Schedule


def understood(when: str, timezone: str, now: datetime, language: str) -> Schedule:
    """Raises UsageError with what can be said."""
    words = " ".join(when.split())
    if words.startswith("every ") and words.endswith("m") and words[6:-1].isdigit():
        seconds = int(words[6:-1]) * 60
        return Schedule(kind="interval", expression=str(seconds), timezone=timezone, said=words,
                        anchor=now)  # fmt: skip
    if words.startswith("in ") and words.endswith("m") and words[3:-1].isdigit():
        moment = now + timedelta(minutes=int(words[3:-1]))
        return Schedule(kind="once", expression=iso(moment), timezone=timezone, said=words)
    if len(words.split()) == 5:
        return Schedule(kind="cron", expression=words, timezone=timezone, said=words)
    try:
        return Schedule(
            kind="once", expression=iso(parse_time(words)), timezone=timezone, said=words
        )
    except ValueError as problem:
        raise UsageError(f"{when!r} is no time", hint='"0 9 * * mon-fri"') from problem
