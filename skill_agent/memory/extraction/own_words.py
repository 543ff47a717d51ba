"""A person's words as they are kept: nothing is put otherwise, and a day that is named by its
distance has its date in brackets behind it."""

from datetime import datetime

from skill_agent.memory.words.when import Moment, find_times, resolve_dates


def dated(text: str, said_at: datetime) -> str:
    """The text with the dates its words mean: "I fly tomorrow (2026-12-01)"."""
    text = " ".join(text.split())
    resolved = resolve_dates(text, said_at)
    if resolved == text:
        return text
    meant = find_times(resolved, said_at)
    named = find_times(text, said_at)
    if len(meant) != len(named):
        return resolved
    for words, moment in reversed([*zip(named, meant, strict=True)]):
        if not words.fixed and moment.fixed:
            end = words.span[1]
            text = f"{text[:end]} ({_written(moment, said_at)}){text[end:]}"
    return text


def _written(moment: Moment, said_at: datetime) -> str:
    """A day, a month, a year or the first day of a longer stretch, in ISO form."""
    start = moment.start.astimezone(said_at.tzinfo)
    match moment.grain:
        case "month":
            return f"{start:%Y-%m}"
        case "year":
            return f"{start:%Y}"
        case _:
            return f"{start:%Y-%m-%d}"
