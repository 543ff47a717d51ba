"""The tier that a conversation with an agent has come to, folded from its turns' usage notes.

A conversation is not lowered by an easy message: its next hard one would meet a model that did not
think the last ones, and what a provider has cached of a long one would be read anew. `-m` with a
tier is the person's word, and counts from then on; what money forced does not count.
"""

from collections.abc import Iterator

from skill_agent.agents.tiers import TIERS
from skill_agent.conversations.accounts import TURN
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry, TierName

_PASSING = ("budget_cap", "force_tier")
"""Overrides by which a turn says nothing of what its conversation needs."""


async def tier_so_far(ledger: Ledger, session: str, agent: str) -> TierName | None:
    """None where nothing was chosen in it yet."""
    key = _key(session, agent)
    said = (await ledger.projected(_TIERS, [key])).get(key, {}).get("tier")
    return next((tier for tier in TIERS if tier == said), None)


def _key(session: str, agent: str) -> str:
    return f"{agent}|{session}"


def _keys(row: LogEntry) -> Iterator[str]:
    said = row.new or {}
    chosen = said.get("tier") in TIERS and said.get("tier_override") not in _PASSING
    if chosen and isinstance(said.get("session"), str):
        yield _key(said["session"], row.actor)


def _step(_key: str, _state: State | None, row: LogEntry) -> State:
    return {"tier": (row.new or {}).get("tier")}


_TIERS = Projection(
    name="conversation_tiers", version=1, kinds=(TURN,), keys=_keys, step=_step
)  # fmt: skip
