"""Making searchable what was just brought in."""

from typing import TYPE_CHECKING

from skill_agent.errors import ModelUnavailable

from ..output import narrate
from ..progress import Bar

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

MANY = 1_000
"""Rows whose indexing takes long enough to say so."""


async def index_now(runtime: "Workstation", added: int) -> None:
    """Makes what was imported searchable; it is safe in the ledger whatever happens here."""
    if added > MANY:
        narrate(f"{added} saved; indexing them now (Ctrl+C leaves the rest to the next search)")
    try:
        with Bar("indexing") as bar:
            await runtime.memory.settle(bar)
    except ModelUnavailable as error:
        narrate(f"warning: saved, but {error.message}")
        narrate(f"hint: {error.hint}")
