"""What a kind of background work is: what is checked before it begins, and how it is done."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, TypeVar

from skill_agent.errors import UsageError
from skill_agent.values import NewWork, Origin

from .step import Step

Wanted = TypeVar("Wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    text: str = ""
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be done, as it was understood: what goes into the ledger."""

    title: str
    payload: dict[str, Any] = field(default_factory=dict)
    session: str | None = None
    agent: str = ""


class Kind(ABC):
    """One kind of work. Its `do` may be cut short at any `await`, when the work is paused, stopped
    or the home is closed, and is called again from the beginning when it goes on."""

    name: str
    repeatable: bool = True
    """Whether it may be begun again where nobody knows how far it got."""
    takes_place: bool = True
    """It is one of the few that run at once; not where what it waits for has limits of its own."""

    def is_local(self, payload: dict[str, Any]) -> bool:
        """Whether it speaks of files of this machine: then only whoever sits at it may begin it."""
        return False

    @abstractmethod
    async def checked(self, new: NewWork) -> Errand:
        """Raises UsageError or NotFound for what cannot be done, before anything is kept."""

    @abstractmethod
    async def do(self, step: Step) -> Outcome:
        """Does it, telling `step` how far it is. UsageError, ConfigError and ModelRejected are
        final, anything else is tried again."""


def wanted(payload: dict[str, Any], kind: type[Wanted]) -> Wanted:
    """The payload as the dataclass of its kind; raises UsageError for what does not fit."""
    import msgspec

    try:
        found = msgspec.convert(payload, kind)
    except msgspec.ValidationError as problem:
        raise UsageError(f"the work's payload does not fit: {problem}") from None
    known = {one for one in getattr(kind, "__dataclass_fields__", {})}
    if unknown := payload.keys() - known:
        raise UsageError(
            f"the work's payload has {', '.join(sorted(unknown))}, which nobody reads",
            hint=f"known: {', '.join(sorted(known)) or 'nothing'}",
        )
    return found
