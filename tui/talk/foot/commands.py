"""Slash commands: the deeds that have one and can be done now, as the list of deeds has them."""

from collections.abc import Iterable, Sequence

from ...frame.deeds import Deed, keys_of
from .suggestions import Suggestion
from .wish import Command, nearest


def commands_begun(deeds: Iterable[Deed], typed: str) -> list[Suggestion]:
    """Those whose name begins with it, then those whose words do."""
    low = typed.lower()
    every = list(deeds)
    begun = [one for one in every if one.slash.startswith(low)]
    other = [one for one in every if one not in begun and _named(one, low)]
    return [
        Suggestion(
            f"command-{one.slash}", f"/{one.slash}", one.what, _first_key(one),
            value=("command", one.slash), lit=True,
        )
        for one in (*begun, *other)
    ]  # fmt: skip


def _named(deed: Deed, typed: str) -> bool:
    return any(word.startswith(typed) for word in deed.label.lower().split())


def _first_key(deed: Deed) -> str:
    return keys_of(deed).split(", ")[0]


def deed_of(command: Command, deeds: Sequence[Deed]) -> Deed | None:
    return next((one for one in deeds if one.slash == command.name.lower()), None)


def no_such(command: Command, deeds: Sequence[Deed]) -> str:
    """What is said of a command there is not, or not now."""
    near = nearest(command.name, [one.slash for one in deeds])
    meant = f" Did you mean /{near}?" if near else " / lists them."
    return f"/{command.name} cannot be done here.{meant} // at the beginning sends it as words."
