"""What happens while nobody types: jobs with their schedules and runs, and work in the background.

Moments are UTC; a schedule's own times are local to its zone.
"""

from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from .origins import Origin
from .requests import HOST_ONLY, Requester
from .team import Priority

JobKind = Literal["agent", "summary", "consolidate", "expire", "backup", "command"]
JobStatus = Literal["proposed", "active", "paused", "ended"]
ScheduleKind = Literal["cron", "interval", "once"]
RunState = Literal["claimed", "running", "completed", "failed", "unknown", "missed", "skipped"]
WorkState = Literal[
    "pending", "running", "paused", "waiting_hitl", "completed", "failed", "cancelled", "dead"
]
ErrorKind = Literal["", "configuration", "budget", "passing", "lasting", "crash", "time-out"]

JOB_KINDS: tuple[JobKind, ...] = get_args(JobKind)
JOB_STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
RUN_STATES: tuple[RunState, ...] = get_args(RunState)
WORK_STATES: tuple[WorkState, ...] = get_args(WorkState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When something happens again, or once."""

    kind: ScheduleKind
    expression: str
    """cron: five standard fields (0 and 7 are Sunday), beside them `L` for a month's last day,
    `friL` for its last Friday and `fri#1` for its first; interval: seconds, or days, weeks or
    months by the calendar as `P2D`, `P2W`, `P3M`; once: a moment, ISO 8601 UTC."""
    timezone: str = "UTC"
    """Name of the zone in which a cron's times are meant, and an interval's days and months."""
    said: str = ""
    """The words it was understood from."""
    anchor: datetime | None = None
    """From when an interval counts, and its first fire time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePreview:
    """How words for a time were understood, to be looked at before anything is kept."""

    schedule: Schedule
    next_runs: tuple[datetime, ...]
    local: tuple[str, ...]
    """The same moments as a person in that zone reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """What one run may take."""

    timeout_s: float = 600.0
    max_tokens: int = 4000
    """Tokens the models may write in it."""
    max_tool_calls: int = 10
    max_usd: float | None = 0.25
    """None: what the agent has."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """Something to be done at its times."""

    when: str
    """Words, a cron expression or a moment."""
    _: KW_ONLY
    kind: JobKind = "agent"
    name: str = ""
    """Empty: made from kind and words."""
    agent: str | None = None
    """None: the default agent."""
    prompt: str = ""
    """What an agent is asked."""
    command: tuple[str, ...] = ()
    """Program and arguments; only what the settings allow."""
    timezone: str = ""
    """Empty: the zone of the person."""
    deliver: tuple[str, ...] = ("inbox",)
    """`inbox`, `file[:PATH]`, `desktop`, `webhook:ID`, `telegram[:CHAT]`, `apprise:URL`; `none`."""
    catch_up: bool = True
    """A run that was missed is caught up once and marked late."""
    quiet_hours: bool = True
    """Holds back what it has to tell while the settings' quiet hours last."""
    limits: RunLimits = field(default_factory=RunLimits)
    max_attempts: int = 3
    created_by: str = field(default="person", metadata=HOST_ONLY)
    """`person`, or the slug of the agent that proposes it: then a person has to approve it."""
    origins: tuple[Origin, ...] = field(default=(), metadata=HOST_ONLY)
    requester: Requester | None = field(default=None, metadata=HOST_ONLY)
    """Whose API key asks; None is the home's own person."""
    key: str | None = None
    """The job's id, a UUID: added again with it, the same job is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobChange:
    """What is to be different about a job; None leaves it."""

    when: str | None = None
    timezone: str | None = None
    name: str | None = None
    agent: str | None = None
    prompt: str | None = None
    command: tuple[str, ...] | None = None
    deliver: tuple[str, ...] | None = None
    catch_up: bool | None = None
    quiet_hours: bool | None = None
    limits: RunLimits | None = None
    max_attempts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job with what is known of it now."""

    id: str
    name: str
    kind: JobKind
    schedule: Schedule
    status: JobStatus = "active"
    agent: str = ""
    prompt: str = ""
    command: tuple[str, ...] = ()
    deliver: tuple[str, ...] = ("inbox",)
    catch_up: bool = True
    quiet_hours: bool = True
    limits: RunLimits = field(default_factory=RunLimits)
    max_attempts: int = 3
    created_by: str = "person"
    by: str = ""
    """The API key that asked for it, by its id; empty for the home's own person."""
    built_in: bool = False
    """It comes with the program; its settings switch it on and off."""
    origins: tuple[Origin, ...] = ()
    next_run: datetime | None = None
    next_run_local: str = ""
    next_runs: tuple[datetime, ...] = ()
    """Its next fire times, and in `next_runs_local` as its person reads them; told of a single
    job, not in a listing."""
    next_runs_local: tuple[str, ...] = ()
    running: bool = False
    """A run of it has not ended: it is under way, waits for a place, or to be tried again."""
    last_run: datetime | None = None
    last_state: RunState | None = None
    failures: int = 0
    """In a row."""
    dead: bool = False
    """Stopped after failing again and again; it waits for a person."""
    problem: str = ""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """What became of one fire time, or of several that were missed together."""

    id: str
    job: str
    name: str = ""
    state: RunState
    due: datetime
    """The fire time it stands for."""
    last_due: datetime | None = None
    """The last of several fire times that this one outcome stands for."""
    fire_times: int = 1
    late: bool = False
    by_hand: bool = False
    attempt: int = 1
    fence: int = 0
    """Grows with every claim of the job: what an older claim reports does not count any more."""
    host: str = ""
    claimed_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    next_try: datetime | None = None
    result: str = ""
    silent: bool = False
    """There was nothing to say."""
    error: str = ""
    error_kind: ErrorKind = ""
    hint: str = ""
    agent: str = ""
    session: str | None = None
    turn: str | None = None
    tokens_used: int = 0
    cost_usd: float | None = 0.0
    origins: tuple[Origin, ...] = ()
    quotes: tuple[str, ...] = ()
    """Conversations whose words its result repeats: with any of them it is erased."""
    inbox: str | None = None
    """The id under which its result was delivered."""

    @property
    def ended(self) -> bool:
        return self.state not in ("claimed", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinding:
    """What is wrong with a job, and what to do about it."""

    id: str
    """The job's; empty for all of them."""
    level: Literal["ok", "warning", "error"]
    problem: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWork:
    """Something long that is done in the background."""

    kind: str
    """A kind that the program knows: `import`, `rebuild`, `collaboration` …"""
    payload: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    priority: Priority = "normal"
    max_attempts: int = 3
    agent: str = field(default="", metadata=HOST_ONLY)
    session: str | None = field(default=None, metadata=HOST_ONLY)
    requester: Requester | None = field(default=None, metadata=HOST_ONLY)
    key: str | None = None
    """The work's id, a UUID: begun again with it, the same work is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A piece of background work with what has become of it."""

    id: str
    kind: str
    title: str
    state: WorkState = "pending"
    priority: Priority = "normal"
    payload: dict[str, Any] = field(default_factory=dict)
    progress: float = 0.0
    """0..1."""
    message: str = ""
    result: str = ""
    error: str = ""
    attempts: int = 0
    max_attempts: int = 3
    repeatable: bool = True
    next_try: datetime | None = None
    agent: str = ""
    session: str | None = None
    by: str = ""
    """The API key that asked for it, by its id; empty for the home's own person."""
    origins: tuple[Origin, ...] = ()
    """Who, beside the person, wrote its result."""
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.state in ("completed", "failed", "cancelled", "dead")
