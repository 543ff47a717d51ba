"""`ska status`: a few lines on how the home is doing; what is wrong is `doctor`'s to find."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from skill_agent.backups.unfinished import check_not_half_restored
from skill_agent.errors import SkillAgentError
from skill_agent.files.home import Home
from skill_agent.text.clock import minute_of, spoken

from ..backups.standing import last_backup
from ..opening.running import run_with
from ..options import JsonOption, single
from ..output import emit_json, narrate, record
from ..surroundings import Surroundings, surroundings

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

    from ...store.lock import Holder

app = single()


@app.command()
def status(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Say in a few lines how the home is doing.

    Also who hosts it and who is attached. Changes nothing, starts nothing, and does not fail
    because the home is missing or in use.

    \b
    Examples:
      ska status
      ska status --json | jq .memories
      ska status --json | jq .host.pid
    """
    around = surroundings(ctx)
    found = _status(around, around.home)
    if as_json:
        emit_json(found)
    else:
        record(_lines(found))


def _status(around: Surroundings, home: Home) -> dict[str, Any]:
    from ...store.lock import HomeLock

    if around.api:
        there = {"id": around.api, "home": around.api, "state": "served elsewhere"}
        return there | {"host_pid": None, "host": None} | run_with(around, _details, role="status")
    found: dict[str, Any] = {"id": str(home.root), "home": str(home.root)}
    if not home.exists:
        check_not_half_restored(home)
        return found | {"state": "not set up (ska init)"}
    last = last_backup(home)
    found["last_backup"] = last.at if last else None
    holder = HomeLock(home.lock).holder()
    if holder is None:
        details = run_with(around, _details, role="status")
        state = "no model yet (ska init)" if details["model_missing"] else "ready"
        return found | {"state": state, "host_pid": None, "host": None} | details
    found |= {"state": "in use", "host_pid": holder.pid, "since": holder.since}
    socket, host = _host(home, holder)
    found["host"] = host
    if socket is not None:
        try:
            found |= run_with(around, _details, role="status")
        except SkillAgentError as error:
            narrate(f"the host does not tell more: {error.message}")
    return found


def _host(home: Home, holder: "Holder") -> tuple[Path | None, dict[str, Any]]:
    """Where the host answers, and what it says of itself, or at least left in its note."""
    from skill_agent.api.door.addresses import live_socket

    from .socket_request import request

    said: dict[str, Any] = {
        "id": str(home.root), "pid": holder.pid, "role": holder.role, "version": holder.version,
        "since": holder.since, "socket": holder.socket, "addresses": [], "clients": [],
        "log": str(home.logs),
    }  # fmt: skip
    socket = None
    try:
        socket = live_socket(home)
    except SkillAgentError as error:
        narrate(f"the host cannot be asked: {error.message}")
    if socket is not None:
        code, answer = request(socket, "GET", "/v1/host")
        if code == 200 and isinstance(answer, dict):
            said |= answer
    said["clients"] = [one for one in said["clients"] if one.get("pid") != os.getpid()]
    said["uptime_s"] = max(0, round((datetime.now(UTC) - holder.since).total_seconds()))
    return socket, said


def _lines(found: dict[str, Any]) -> Iterable[tuple[str, object]]:
    """The same for people: the host in three lines instead of a table of its own."""
    for name, value in found.items():
        if name == "host" and value:
            yield "host", _described(value)
            yield "attached", [_client(one) for one in value["clients"]]
            yield "served at", [f"http://{address}" for address in value["addresses"]]
            yield "log", value["log"]
        elif name == "jobs":
            yield from _jobs_lines(value)
        elif name == "last_backup":
            age = value and round((datetime.now(UTC) - value).total_seconds())
            yield "last backup", "none" if age is None else f"{spoken(max(0, age))} ago"
        elif name not in ("id", "host", "host_pid", "since"):
            yield name.replace("_", " "), value


def _described(host: dict[str, Any]) -> str:
    name = f"ska {host['role']}, " if host["role"] else ""
    return f"process {host['pid']} ({name}for {spoken(host['uptime_s'])})"


def _client(client: dict[str, Any]) -> str:
    return f"{client.get('name')} (process {client.get('pid')})"


async def _missing(station: "Workstation") -> str:
    """What gets the default model here; empty where it is, or is not this machine's, or another
    stands in for it."""
    if station.settings.models.fallback:
        return ""
    default = station.settings.models.default
    found = next((one for one in await station.models.list() if one.name == default), None)
    gone = found is not None and not found.installed
    return f"ska models pull {default.removeprefix('embedded/')}" if gone else ""


async def _telegram(station: "Workstation") -> str:
    """How the bot fares, in a few words."""
    [bridge] = await station.bridges.status()
    return f"{bridge.state}: {bridge.problem}" if bridge.problem else bridge.state


async def _failed_servers(station: "Workstation") -> list[str]:
    """Servers of tools that agents would use and cannot, each with the reason."""
    found = await station.mcp.list()
    return [f"{one.name}: {one.problem}" for one in found if one.state == "failed"]


async def _agents(station: "Workstation") -> int:
    try:
        return len(await station.agents.list())
    except SkillAgentError as error:
        narrate(f"no agent can be used: {error.message}")
        return 0


async def _jobs(station: "Workstation") -> dict[str, Any]:
    every = await station.jobs.list()
    following = next((one for one in every if one.next_run), None)
    return {
        "count": len(every),
        "running": [one.name for one in every if one.running],
        "next": following.next_run if following else None,
        "next_name": following.name if following else "",
        "proposed": sum(one.status == "proposed" for one in every),
        "dead": [one.name for one in every if one.dead],
    }


def _jobs_lines(jobs: dict[str, Any]) -> Iterable[tuple[str, object]]:
    if jobs["next"]:
        yield "next job", f"{jobs['next_name']}, {minute_of(jobs['next'])}"
    yield "jobs running", jobs["running"]
    yield "jobs proposed", jobs["proposed"] or ""
    yield "dead jobs", jobs["dead"] and f"{', '.join(jobs['dead'])} (ska jobs doctor)"


async def _details(station: "Workstation") -> dict[str, Any]:
    from skill_agent.workstation.branches import running, work_of

    counts = await station.figures.counts()
    usage = await station.figures.usage()
    settings = station.settings
    waiting = await station.extractions.list(("waiting", "running"), limit=10_000)
    failed = await station.extractions.list(("failed",), limit=10_000)
    return {
        "default_agent": settings.general.default_agent,
        "default_model": settings.models.default,
        "model_missing": await _missing(station),
        "agents": await _agents(station),
        "awake": await station.turns.awake(),
        "sessions": counts["sessions"],
        "messages": counts["messages"],
        "memories": counts["memories"],
        "disputes": len(await station.memory.disputes()),
        "inbox_unread": (standing := await station.inbox.standing()).unread,
        "not_delivered": len(standing.lost),
        "work_going_on": running(await work_of(station)),
        "jobs": await _jobs(station),
        "telegram": await _telegram(station),
        "servers_failed": await _failed_servers(station),
        "to_be_read": len(waiting),
        "reading_failed": len(failed),
        "turns": usage.turns,
        "tokens_today": usage.today.prompt_tokens + usage.today.completion_tokens,
        "cost_today_usd": round(usage.today.cost_usd, 6),
        "cost_total_usd": round(usage.total.cost_usd, 6),
        "cost_unknown": "" if usage.total.priced else "of some calls no price is known (ska usage)",
    }
