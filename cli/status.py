"""`ska status`: a few lines on how the home is doing; what is wrong is `doctor`'s to find."""

from typing import TYPE_CHECKING, Any

import typer

from skill_agent.home import Home

from .options import JsonOption, single
from .output import emit_json, record
from .surroundings import Surroundings, run_with, surroundings

if TYPE_CHECKING:
    from skill_agent.runtime import Runtime

app = single()


@app.command()
def status(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Say in a few lines how the home is doing.

    Changes nothing, and does not fail because the home is missing or in use.

    \b
    Examples:
      ska status
      ska status --json | jq .memories
    """
    around = surroundings(ctx)
    found = _status(around, around.home)
    if as_json:
        emit_json(found)
    else:
        record((name.replace("_", " "), value) for name, value in found.items() if name != "id")


def _status(around: Surroundings, home: Home) -> dict[str, Any]:
    from ..store.lock import HomeLock

    found: dict[str, Any] = {"id": str(home.root), "home": str(home.root)}
    if not home.exists:
        return found | {"state": "not set up (ska init)"}
    if (holder := HomeLock(home.lock).holder()) is not None:
        return found | {"state": "in use", "host_pid": holder.pid, "since": holder.since}
    return found | {"state": "ready", "host_pid": None} | run_with(around, home, _details)


async def _details(runtime: "Runtime") -> dict[str, Any]:
    counts = await runtime.ledger.counts()
    usage = await runtime.usage()
    general = runtime.settings.general
    waiting = await runtime.extractions.list(("waiting", "running"), limit=10_000)
    failed = await runtime.extractions.list(("failed",), limit=10_000)
    return {
        "default_agent": general.default_agent,
        "default_model": runtime.settings.models.default,
        "agents": len(runtime.agents()),
        "sessions": counts["sessions"],
        "messages": counts["messages"],
        "memories": counts["memories"],
        "disputes": len(await runtime.memory.disputes()),
        "to_be_read": len(waiting),
        "reading_failed": len(failed),
        "turns": usage.turns,
        "tokens_today": usage.today.prompt_tokens + usage.today.completion_tokens,
        "cost_today_usd": round(usage.today.cost_usd, 6),
        "cost_total_usd": round(usage.total.cost_usd, 6),
    }
