"""The other side of what is disputed, fetched so that no prompt tells one side alone."""

from collections.abc import Sequence
from datetime import datetime

from skill_agent.ports import Ledger
from skill_agent.values import Hit, Memory, Scope

from .recaller import may_see
from .told import presentable


async def with_sides(
    ledger: Ledger, hits: Sequence[Hit], scope: Scope, now: datetime
) -> tuple[tuple[Hit, ...], dict[str, Memory]]:
    """The hits that hold now, each disputed one with its other sides as far as the scope may see
    them, and the whole memories behind all of them."""
    ids = [hit.item.id for hit in hits if hit.item.kind == "memory"]
    memories = await ledger.memories_by_id(ids)
    wanted = [
        other
        for memory in memories.values()
        if memory.status == "disputed"
        for other in memory.contradicts
        if other not in memories
    ]
    others = await ledger.memories_by_id(list(dict.fromkeys(wanted))) if wanted else {}
    memories |= {key: one for key, one in others.items() if may_see(one, scope)}
    return presentable(hits, memories, now), memories
