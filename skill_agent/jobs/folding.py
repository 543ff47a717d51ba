"""How notes about jobs and their runs are folded to states: what a note must be, which states it
changes, and how. Whatever once came into a log, and is none of ours, changes nothing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from skill_agent.identifiers import iso, parse_time
from skill_agent.ports.projections import Projection, State
from skill_agent.values import RUN_STATES, LogEntry

from .due import Accounted

JOB, RUN, SAID, CLOCK = "job", "job.run", "job.said", "job.clock"
ALL, OPEN = "all", "open"
TEXTS = ("result", "error", "hint", "session", "origins", "quotes", "inbox")
"""Fields of a run that stand in `job.said`."""
MOMENTS = ("due", "last_due", "claimed_at", "started_at", "ended_at", "next_try")
FIGURES = ("silent", "error_kind", "tokens_used", "cost_usd")
SPANS = 20
"""Missed spans that are kept in mind, for a clock that was ahead."""
SHORTEST_REF = 8


def moment_in(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


def accounted_in(state: State) -> Accounted:
    beyond = tuple((parse_time(one), parse_time(two)) for one, two in state.get("beyond", ()))
    return Accounted(moment_in(state.get("until")), beyond)


def _told(row: LogEntry) -> dict[str, Any] | None:
    """What a row of ours says; None for one that was erased, or is none of ours."""
    new = row.new
    if not isinstance(new, dict):
        return None
    try:
        return new if _sound(row.kind, new) else None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _sound(kind: str, new: dict[str, Any]) -> bool:
    if kind == JOB:
        return new.get("removed") is True or (_is_moment(new["since"]) and _is_table(new["said"]))
    if kind == CLOCK:
        pairs = new["beyond"]
        return _is_moment(new["until"]) and all(
            len(pair) == 2 and all(_is_moment(one) for one in pair) for pair in pairs
        )
    if not (isinstance(new["job"], str) and _is_count(new["fence"])):
        return False
    if new["state"] not in RUN_STATES:
        return False
    if kind == SAID:
        return isinstance(new["error"], str)
    moments = all(new[name] is None or _is_moment(new[name]) for name in MOMENTS)
    return moments and _is_moment(new["due"]) and _is_run(new)


def _is_run(new: dict[str, Any]) -> bool:
    then = new.get("then") or {}
    consequence = not then or (
        _is_count(then["failures"])
        and _is_count(then["crashes"])
        and isinstance(then["dead"], bool)
        and isinstance(then["told"], str)
    )
    plain = isinstance(new["by_hand"], bool) and isinstance(new["late"], bool)
    return consequence and plain and _is_count(new["fire_times"]) and _is_count(new["attempt"])


def _is_moment(text: object) -> bool:
    return isinstance(text, str) and iso(parse_time(text)) == text


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**31


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _keys(row: LogEntry) -> Iterable[str]:
    if (told := _told(row)) is None:
        return
    if row.kind in (JOB, CLOCK):
        yield f"job {row.entity}"
        if row.kind == JOB:
            yield ALL
        return
    job = told["job"]
    yield f"run {row.entity}"
    if row.kind == SAID:
        if told["error"]:
            yield f"job {job}"
        return
    if told["state"] != "running":  # that changes nothing but the run
        yield from (f"job {job}", OPEN)
    if told.get("first") is True:
        month, day = told["due"][:7], told["due"][:10]
        yield from (f"of {job}", f"of {job} {month}", f"of {job} {day}")
        yield f"id {row.entity[:SHORTEST_REF]}"


def _step(key: str, state: State | None, row: LogEntry) -> State:
    told, known = _told(row) or {}, state or {}
    if key == ALL:
        rest = {name: True for name in known if name != row.entity}
        return rest if told.get("removed") else {**rest, row.entity: True}
    if key.startswith("job "):
        return _STEPS[row.kind](known, told, row.entity)
    if key.startswith("run "):
        return _step_run(known, told)
    if key == OPEN:
        rest = {name: True for name in known if name != row.entity}
        return {**rest, row.entity: True} if told["state"] in ("claimed", "running") else rest
    if key.startswith("id "):
        return {**known, row.entity: True}
    job, due = told["job"], told["due"]
    below = {f"of {job}": due[:7], f"of {job} {due[:7]}": due[:10]}.get(key)
    return {**known, below: True} if below else {**known, row.entity: due}


def _step_job(known: State, told: dict[str, Any], _: str) -> State:
    if told.get("removed"):
        return {**known, "removed": True}
    said = {**known.get("said", {}), **told["said"]}
    until = accounted_in(known).through(parse_time(told["since"]))
    done = {**known, "said": said, "since": told["since"], **accounted_record(until)}
    if told.get("revived"):
        done |= {"failures": 0, "crashes": 0, "dead": False, "told": "", "problem": ""}
    return done


def _step_clock(known: State, told: dict[str, Any], _: str) -> State:
    missed = [one for one in known.get("missed", ()) if one[2] <= (told["until"] or "")]
    return {**known, "until": told["until"], "beyond": told["beyond"], "missed": missed}


def _step_of_run(known: State, told: dict[str, Any], run: str) -> State:
    done = dict(known)
    if not told["by_hand"] and told["fire_times"]:
        last = parse_time(told["last_due"] or told["due"])
        done |= accounted_record(accounted_in(known).through(last))
    if told["state"] == "missed" and told["fire_times"]:
        span = [run, told["due"], told["last_due"] or told["due"], told["fire_times"]]
        rest = [one for one in known.get("missed", ()) if one[0] != run]
        done["missed"] = [*rest, span][-SPANS:]
    if told["fence"] < known.get("fence", 0) and run not in known.get("open", {}):
        return done  # what an older claim reports does not count any more
    opened = {name: True for name in known.get("open", {}) if name != run}
    if told["state"] in ("claimed", "running"):
        opened[run] = True
    done |= {"open": opened, "fence": max(known.get("fence", 0), told["fence"])}
    if told["state"] in ("completed", "failed", "unknown"):
        done |= {"last_run": told["ended_at"], "last_state": told["state"]}
        if told["state"] == "completed":
            done["problem"] = ""
    if then := told.get("then"):
        done |= {name: then[name] for name in ("failures", "crashes", "dead", "told")}
    return done


def _step_said(known: State, told: dict[str, Any], _: str) -> State:
    return {**known, "problem": told["error"]}


def accounted_record(accounted: Accounted) -> State:
    return {
        "until": iso(accounted.until) if accounted.until else None,
        "beyond": [[iso(after), iso(upto)] for after, upto in accounted.beyond],
    }


def _step_run(known: State, told: dict[str, Any]) -> State:
    if told["fence"] < known.get("fence", 0):
        return known
    if "due" in told:
        return {**known, **{name: told[name] for name in told if name not in ("then", "first")}}
    said = {name: told[name] for name in (*TEXTS, *FIGURES) if name in told}
    return {**known, **said, "said": {"state": told["state"], "fence": told["fence"]}}


_STEPS = {JOB: _step_job, CLOCK: _step_clock, RUN: _step_of_run, SAID: _step_said}

JOBS = Projection(name="jobs", version=1, kinds=(JOB, RUN, SAID, CLOCK), keys=_keys, step=_step)
