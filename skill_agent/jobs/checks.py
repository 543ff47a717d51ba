"""What a job may be: looked at before anything is kept."""

from dataclasses import asdict
from typing import Any

from skill_agent.errors import UsageError
from skill_agent.text.checks import sound_text
from skill_agent.text.redaction import masked
from skill_agent.values import JOB_KINDS, Job, NewJob, RunLimits

LONGEST_NAME, LONGEST_PROMPT = 80, 20_000
MOST_JOBS = 5_000
MOST_ARGUMENTS, LONGEST_ARGUMENT = 100, 4_000
MOST_TARGETS = 10
_HIGHEST = {"timeout_s": 86_400.0, "max_tokens": 1_000_000, "max_tool_calls": 1_000,
            "max_usd": 1_000.0}  # fmt: skip


def checked_new(new: NewJob) -> NewJob:
    """Raises UsageError for what cannot become a job."""
    if new.kind not in JOB_KINDS:
        raise UsageError(f"no kind of job: {new.kind!r}", hint=", ".join(JOB_KINDS))
    if not new.when.strip():
        raise UsageError("when?", hint='ska jobs add "weekdays at 18:00" …')
    if new.kind == "agent" and not new.prompt.strip():
        raise UsageError("what is the agent to be asked?", hint='--prompt "…"')
    if new.kind == "command" and not new.command:
        raise UsageError("which program?", hint="ska jobs add WHEN --kind command -- /path/to/it")
    if new.kind != "command" and new.command:
        raise UsageError("a program goes with --kind command alone")
    return new


def checked(job: Job) -> Job:
    """The job itself; raises UsageError where something in it cannot be."""
    for text, what, most in (
        (job.name, "the name", LONGEST_NAME),
        (job.prompt, "the prompt", LONGEST_PROMPT),
        *((one, "an argument", LONGEST_ARGUMENT) for one in job.command),
    ):
        sound_text(text, what)
        if "\0" in text:
            raise UsageError(f"{what} is not text: it contains zero bytes")
        if len(text) > most:
            raise UsageError(f"{what} has {len(text):,} characters; {most:,} is the most")
    if len(job.command) > MOST_ARGUMENTS:
        raise UsageError(f"{MOST_ARGUMENTS} arguments are the most")
    if any(masked(one) != one for one in job.command):
        raise UsageError(
            "an argument of the program is a key or a password; jobs keep none",
            hint="let the program read it from a file of its own",
        )
    if not 1 <= len(job.deliver) <= MOST_TARGETS:
        raise UsageError("where is it to be delivered?", hint="inbox, or none")
    if not 1 <= job.max_attempts <= 10:
        raise UsageError("a run is tried 1 to 10 times")
    _check_limits(job.limits)
    return job


def _check_limits(limits: RunLimits) -> None:
    told: dict[str, Any] = asdict(limits)
    for name, highest in _HIGHEST.items():
        value = told[name]
        least = 0 if name in ("max_tool_calls", "max_usd") else 1
        if value is not None and not least <= value <= highest:
            raise UsageError(f"{name} is {value:g}; {least} to {highest:,.0f} makes sense")
