"""What is told of background work: as an event while it happens, to the inbox when it has ended."""

from uuid import UUID, uuid5

from skill_agent.errors import SkillAgentError
from skill_agent.events import WorkChanged
from skill_agent.identifiers import iso
from skill_agent.text.redaction import redact
from skill_agent.text.shaping import one_line
from skill_agent.values import Dispatch, Work

from .limits import LONGEST_TEXT

_ENDED = {
    "completed": "done",
    "failed": "failed",
    "dead": "given up after its last try",
    "cancelled": "stopped",
}


def work_event(work: Work) -> WorkChanged:
    return WorkChanged(
        session=work.session or "",
        agent=work.agent,
        work=work.id,
        kind=work.kind,
        title=work.title,
        state=work.state,
        progress=work.progress,
        message=work.message,
        problem=work.error,
    )


def dispatch(work: Work) -> Dispatch:
    """What a person who did not watch is told of its end; the same end is told once."""
    failed = work.state != "completed"
    text = work.error if failed else work.result
    hint = f"ska work retry {work.id}" if failed else f"ska work show {work.id}"
    return Dispatch(
        title=f"{work.title}: {_ENDED.get(work.state, work.state)}",
        text=f"{text}\n\n{hint}" if text else hint,
        sort="work",
        agent=work.agent,
        session=work.session,
        always=failed,
        origins=() if failed else work.origins,
        key=str(uuid5(UUID(work.id), iso(work.ended_at) if work.ended_at else work.state)),
    )


def problem_of(problem: Exception) -> str:
    """What went wrong, for a person, without a secret."""
    if isinstance(problem, SkillAgentError):
        told = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    else:
        told = f"{type(problem).__name__}: {problem}"
    return one_line(redact(told), 2_000)


def result_of(text: str) -> str:
    return redact(text)[:LONGEST_TEXT]
