"""Which skills are in use as tools, by whom: notes in the ledger, folded user by user.

They name skills and digests, and hold no text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from skill_agent.identifiers import iso, parse_time
from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry

ACTIVE, USED = "skill.active", "skill.used"
"""Kinds of the notes; their entity is `AGENT/SKILL`. The second stands once a day at most."""
OF_CLIENTS = "mcp-"
"""What a client's own slug begins with; see `mcp_server.visit`."""
_ALL = "*"
_MOST_KNOWN = 1_000
_ENTITY = re.compile(r"([a-z0-9_-]{1,64})/([a-z0-9-]{1,64})")
_TOOL = re.compile(r"skill_[a-z0-9_]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """A skill in use."""

    tool: str
    version: str
    at: datetime
    used: datetime
    """A day on which it was used; at first when it was activated."""


class Activations:
    """The notes of one home, which nobody else writes; what was asked for stands in memory."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, Mapping[str, Active] | None] = {}
        """None is to be read anew."""
        self._changes = 0

    async def of(self, agent: str) -> Mapping[str, Active]:
        """By skill, the first that was activated first."""
        if (known := self._known.get(agent)) is not None:
            return known
        changes = self._changes
        state = (await self._ledger.projected(_ACTIVE, [agent])).get(agent) or {}
        found = {skill: _active(one) for skill, one in state.get("skills", {}).items()}
        if changes == self._changes:
            if len(self._known) >= _MOST_KNOWN:  # whoever asks may name any client
                self._known.clear()
            self._known[agent] = found
        return found

    def forget(self) -> list[str]:
        """Has all be read anew; gives those who were asked about."""
        known, self._known = [*self._known], {}
        self._changes += 1
        return known

    async def agents(self) -> list[str]:
        """Whoever uses any."""
        state = (await self._ledger.projected(_ACTIVE, [_ALL])).get(_ALL) or {}
        return sorted(state.get("agents", {}))

    async def add(self, agent: str, skill: str, one: Active, actor: str) -> None:
        told = {"tool": one.tool, "version": one.version, "at": iso(one.at)}
        await self._note(ACTIVE, f"{agent}/{skill}", actor, told)
        self._learn(agent, skill, one)

    async def remove(self, agent: str, skill: str, actor: str) -> None:
        await self._note(ACTIVE, f"{agent}/{skill}", actor, {"removed": True})
        self._learn(agent, skill, None)

    async def used(self, agent: str, skill: str, one: Active, now: datetime) -> None:
        """Noted where it was not used before on this day."""
        if one.used.date() != now.date():
            await self._note(USED, f"{agent}/{skill}", agent, {"at": iso(now)})
            if skill in (self._known.get(agent) or ()):
                self._learn(agent, skill, replace(one, used=now))

    async def _note(self, kind: str, entity: str, actor: str, data: dict[str, Any]) -> None:
        try:
            await self._ledger.note(kind, entity, actor=actor, data=data)
        except BaseException:  # also of one that was cut short it is not known whether it is there
            self._known[entity.partition("/")[0]] = None
            raise
        finally:
            self._changes += 1

    def _learn(self, agent: str, skill: str, one: Active | None) -> None:
        """As the note that was just written has it: to fold it costs more than to write it."""
        known = self._known.get(agent)
        if known is not None and one is not None:
            self._known[agent] = {**known, skill: one}
        elif known is not None:
            self._known[agent] = {name: its for name, its in known.items() if name != skill}
        else:
            self._known[agent] = None


def _active(one: State) -> Active:
    at = parse_time(one["at"])
    used = parse_time(one.get("used", one["at"]))
    return Active(tool=one["tool"], version=one["version"], at=at, used=used)


def _keys(row: LogEntry) -> Iterable[str]:
    found = _ENTITY.fullmatch(row.entity)
    return (found[1], _ALL) if found and _sound(row) else ()


def _sound(row: LogEntry) -> bool:
    """False for what was erased, and for what is none of ours."""
    new = row.new
    if not isinstance(new, dict):
        return False
    if row.kind == ACTIVE and new.get("removed") is True:
        return True
    try:
        if iso(parse_time(new["at"])) != new["at"]:
            return False
        return row.kind == USED or bool(
            _TOOL.fullmatch(new["tool"]) and isinstance(new["version"], str)
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return False


def _step(key: str, state: State | None, row: LogEntry) -> State:
    known, new = state or {}, row.new or {}
    agent, _, skill = row.entity.partition("/")
    if key == _ALL:
        return {"agents": {**known.get("agents", {}), agent: True}}
    skills = dict(known.get("skills", {}))
    if new.get("removed") is True:
        skills.pop(skill, None)
    elif row.kind == USED:
        if skill in skills:
            skills[skill] = {**skills[skill], "used": new["at"]}
    else:
        skills[skill] = {name: new[name] for name in ("tool", "version", "at")}
    return {"skills": skills}


_ACTIVE = Projection(name="active_skills", version=1, kinds=(ACTIVE, USED), keys=_keys, step=_step)
