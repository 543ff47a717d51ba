"""A fact as a rule of English gives it, and the few words all such rules share."""

from dataclasses import dataclass

from skill_agent.values import MemoryType


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What a rule reads in a clause; relative dates still as they were said."""

    content: str
    memory_type: MemoryType
    subject: str | None
    importance: int
    confidence: float = 0.9


def profile(content: str, subject: str, importance: int) -> Fact:
    """A fact about the person themselves."""
    return Fact(content=content, memory_type="user_profile", subject=subject, importance=importance)


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = " ".join(text.split()).strip(" ,;:")
    text = text if text.endswith((".", "!")) else f"{text}."
    return text[0].upper() + text[1:]


_LETTERS = r"[^\W\d_]"
NAME = rf"(?P<name>[A-Z]{_LETTERS}*(?:[-'’.]{_LETTERS}+)*\.?(?:[ ][A-Z][\w'’-]*){{0,3}})"
