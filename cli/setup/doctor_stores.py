"""What `ska doctor` finds in the two stores, through an open runtime."""

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol

from skill_agent.errors import LedgerBehind, SkillAgentError, StoreError
from skill_agent.values import BridgeState, Delivery, Finding

if TYPE_CHECKING:
    from skill_agent.values import JobFinding, LanguageCoverage
    from skill_agent.workstation import Workstation

_BRIDGES: Mapping[BridgeState, Literal["ok", "warning", "error"]] = MappingProxyType(
    {"working": "ok", "unhealthy": "warning", "stopped": "error"}
)
"""How bad each state of a bridge is; the others are nothing to tell."""

SHOWN_PROBLEMS = 3
ENOUGH, MOST = 20, 0.5
"""Messages from which their languages are spoken of, and the share that is most of them."""
MUCH = 1_000
"""Log rows a search takes along without anybody noticing."""


class Languages(Protocol):
    """Who knows what is spoken here."""

    async def languages(self) -> "list[LanguageCoverage]": ...


class JobDoctor(Protocol):
    """Who knows how jobs fare."""

    async def doctor(self) -> "list[JobFinding]": ...


BACK = "ska backup list   # then: ska backup restore"
"""What brings a ledger back; what else there is stands in the detail."""


def not_opening(error: SkillAgentError) -> Finding:
    """Why the home does not open. The diagnosis is not its own cure: what it can be asked to do
    stands beside, after what brings everything back."""
    if not (isinstance(error, StoreError) and "ska doctor" in error.hint):
        return Finding(
            id="stores", level="error", title="the home does not open",
            detail=error.message, fix=error.hint,
        )  # fmt: skip
    return Finding(
        id="stores", level="error", title="the home does not open",
        detail=f"{error.message} {error.hint}", fix=BACK,
    )  # fmt: skip


async def store_findings(runtime: "Workstation") -> list[Finding]:
    """The ledger against its hashes, and the index against the ledger."""
    found = [finding async for finding in _ledger(runtime)]
    found += [finding async for finding in _index(runtime)]
    found += await language_findings(runtime.memory) + await _waiting(runtime)
    found += await job_findings(runtime.jobs) + await delivery_findings(runtime)
    return found + await _bridges(runtime)


async def job_findings(jobs: JobDoctor) -> list[Finding]:
    """What is wrong with jobs; one line where nothing is."""
    every = await jobs.doctor()
    bad = [
        Finding(id=f"jobs.{one.id}", level=one.level, title="job", detail=one.problem, fix=one.hint)
        for one in every
        if one.level != "ok"
    ]
    return bad or [
        Finding(id="jobs", level="ok", title="jobs", detail=f"{len(every)} jobs, all sound")
    ]


async def delivery_findings(runtime: "Workstation") -> list[Finding]:
    """What could not be brought where it was to go, and what keeps ways from working here."""
    standing = await runtime.inbox.standing()
    by_target: dict[str, list[Delivery]] = {}
    for way in standing.lost:
        by_target.setdefault(way.target, []).append(way)
    found = [
        Finding(
            id=f"delivery {target}", level="warning", title=f"not delivered to {target}",
            detail=f"{len(ways)} given up, the last one: {ways[0].error}",
            fix=f"ska inbox deliver {ways[0].item}",
        )
        for target, ways in by_target.items()
    ]  # fmt: skip
    found += [
        Finding(
            id=f"way {target}", level="warning", title=f"things wait for {target}",
            detail=problem, fix="ska inbox list",
        )
        for target, problem in standing.problems.items()
        if target not in by_target
    ]  # fmt: skip
    waiting = f"{standing.unread} not read, {standing.waiting} on their way"
    return found or [Finding(id="delivery", level="ok", title="inbox", detail=waiting)]


async def _bridges(runtime: "Workstation") -> list[Finding]:
    """How the ways to talk from elsewhere fare, as far as the host that runs has any."""
    return [
        Finding(
            id=f"bridge.{one.id}",
            level=_BRIDGES[one.state],
            title=f"the {one.id} bot" if one.state == "working" else f"{one.id} is {one.state}",
            detail=one.problem or f"{one.name} works, {one.chats} chats are let in",
            fix=one.hint or f"ska {one.id} status",
        )
        for one in await runtime.bridges.status()
        if one.state in _BRIDGES
    ]


async def _ledger(runtime: "Workstation") -> AsyncIterator[Finding]:
    try:
        report = await runtime.memory.verify()
    except StoreError as error:
        yield Finding(
            id="ledger", level="error", title="the ledger cannot be read",
            detail=f"{error.message} {error.hint}", fix=BACK,
        )  # fmt: skip
        return
    for number, warning in enumerate(await runtime.figures.warnings(), start=1):
        yield Finding(
            id=f"ledger.{number}", level="warning", title="ledger", detail=warning,
            fix=_fix(warning, runtime),
        )  # fmt: skip
    if not report.problems:
        detail = f"{report.rows} log rows, {report.memories} memories, {report.messages} messages"
        yield Finding(id="ledger", level="ok", title="ledger", detail=f"whole: {detail}")
        return
    shown = "; ".join(report.problems[:SHOWN_PROBLEMS])
    yield Finding(
        id="ledger", level="error", title="the ledger does not verify",
        detail=f"{len(report.problems)} problems: {shown}. {LedgerBehind.ways_on}", fix=BACK,
    )  # fmt: skip


def _fix(warning: str, runtime: "Workstation") -> str:
    if "kept" in warning:
        return f"rm -r '{runtime.home.ledger}'*.damaged-*   # once nothing is missed"
    if "read-only" in warning:
        return "copy the home to where it can be written, and name that: ska --home PATH"
    return "ska memory verify"


async def _index(runtime: "Workstation") -> AsyncIterator[Finding]:
    try:
        status = await runtime.memory.status()
    except SkillAgentError as error:
        yield Finding(
            id="index", level="error", title="memory cannot be searched",
            detail=error.message, fix=error.hint or "ska memory rebuild",
        )  # fmt: skip
        return
    except Exception as error:  # the wall around a damaged index: it can be made again
        yield Finding(
            id="index", level="error", title="the index cannot be read",
            detail=f"{type(error).__name__}: {error}",
            fix=f"rm -r '{runtime.home.index}' && ska memory rebuild",
        )  # fmt: skip
        return
    lag, growing = status.lag, status.rebuilding
    detail = f"{lag} log rows behind; the next search catches up" if lag else "reflects the ledger"
    if status.problem:
        yield Finding(
            id="index", level="warning", title="the index is not as it should be",
            detail=status.problem, fix="ska memory rebuild",
        )  # fmt: skip
    elif lag > MUCH:
        yield Finding(
            id="index", level="warning", title="the index is far behind the ledger",
            detail=detail, fix="ska memory rebuild",
        )  # fmt: skip
    else:
        told = f"{detail}; vectors of {status.embedder}"
        yield Finding(id="index", level="ok", title="index", detail=told)
    if status.reranking_problem:
        yield Finding(
            id="index.reranker", level="warning", title="what was found is not put in order anew",
            detail=status.reranking_problem,
            fix="name a smaller one, or none: models.roles.rerank in config.toml",
        )  # fmt: skip
    if growing is not None:
        yield Finding(
            id="index.growing", level="warning", title="another embedder is being taken up",
            detail=f"{growing.done} of {growing.total} items; {growing.old} answers meanwhile",
            fix="leave the workstation open, or: ska memory rebuild",
        )  # fmt: skip


async def language_findings(memory: Languages) -> list[Finding]:
    """Whether most of what was said is in languages that the embedder does not know."""
    try:
        found = await memory.languages()
    except SkillAgentError:
        return []  # the index tells of itself
    unknown = [one for one in found if one.embedder is False and one.messages]
    spoken, share = sum(one.messages for one in found), sum(one.share for one in unknown)
    if spoken < ENOUGH or share <= MOST:
        return []
    told = ", ".join(f"{one.id} {one.share:.0%}" for one in unknown[:SHOWN_PROBLEMS])
    return [
        Finding(
            id="languages", level="warning",
            title="memories are found by their words alone in what you mostly speak",
            detail=f"the embedder does not know it: {told} of what was said",
            fix=next((line for one in unknown for line in one.advice), "ska memory languages"),
        )
    ]  # fmt: skip


async def _waiting(runtime: "Workstation") -> list[Finding]:
    """Conversations that could not be read for memories, and memories that contradict."""
    failed = await runtime.extractions.list(("failed",), limit=1_000)
    disputes = await runtime.memory.disputes()
    found: list[Finding] = []
    if failed:
        found.append(
            Finding(
                id="extractions",
                level="warning",
                title="conversations could not be read",
                detail=f"{len(failed)}, the last: {failed[0].error}",
                fix="ska memory extractions",
            )
        )
    if shares := await runtime.memory.shares():
        found.append(
            Finding(
                id="shares",
                level="warning",
                title="memories wait to be shared",
                detail=f"{len(shares)} of the team's wait for you",
                fix="ska memory shares",
            )
        )
    if disputes:
        found.append(
            Finding(
                id="disputes",
                level="warning",
                title="memories contradict each other",
                detail=f"{len(disputes)} disputes wait for you",
                fix="ska memory disputes",
            )
        )
    return found
