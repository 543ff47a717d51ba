"""What keeps a task from being begun: looked at when it is given, and again before it is begun."""

from collections.abc import Sequence

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import (
    AgentUnavailable,
    CycleDetected,
    DelegationDepthExceeded,
    UsageError,
)
from skill_agent.text.checks import sound_text
from skill_agent.values import MAX_DEPTH, AgentTask, NewTask

from .framing import PERSON
from .limits import LONGEST, checked


def checked_task(new: NewTask) -> NewTask:
    """Raises UsageError for what no agent could work on."""
    if not new.instructions.strip():
        raise UsageError("what is to be done?", hint='ska team run "…"')
    for text, what in (
        (new.instructions, "the task"),
        (new.context, "the context of the task"),
        (new.expected_output, "what is expected"),
    ):
        sound_text(text, what)
        if "\0" in text:
            raise UsageError(f"{what} is not text: it contains zero bytes", hint="give plain text")
        if len(text) > LONGEST:
            raise UsageError(
                f"{what} has {len(text):,} characters; {LONGEST:,} is the most",
                hint="give the part that matters",
            )
    checked(new.allowance)
    return new


def check_way(
    directory: AgentDirectory, *, created_by: str, worker: str, above: Sequence[AgentTask],
    collaboration: bool,
) -> int:  # fmt: skip
    """How deep a task would lie. `above` are those it is part of, the nearest first. Raises
    DelegationDepthExceeded, and CycleDetected where its agent waits for it; within a collaboration
    the agent that leads it may have a part of its own."""
    depth = above[0].delegation_depth + 1 if above else 1
    if depth > MAX_DEPTH:
        raise DelegationDepthExceeded(
            f"a task given on {MAX_DEPTH} times is not given on again",
            hint=f"{_name(directory, created_by)} has to do it without help",
        )
    asker = above[0].assigned_to if above else created_by
    if worker == asker and collaboration:
        return depth
    if worker in (created_by, asker):
        raise CycleDetected(
            f"{_name(directory, worker)} would be asked by itself", hint="ask another agent"
        )
    path = [one.assigned_to for one in above]
    if above and above[-1].created_by != PERSON:
        path.append(above[-1].created_by)
    if worker in path:
        way = " → ".join(_name(directory, one) for one in (*reversed(path), worker))
        raise CycleDetected(
            f"{_name(directory, worker)} waits for this very work: {way}",
            hint="ask an agent that is not on the way",
        )
    return depth


def check_agent(directory: AgentDirectory, worker: str) -> AgentDNA:
    """Raises NotFound with the nearest, and AgentUnavailable for one that is not active."""
    dna = directory.get(worker)
    if dna.status != "active":
        raise AgentUnavailable(
            f"{dna.name} is {dna.status}", hint=f"ska agents activate {dna.slug}"
        )
    return dna


def _name(directory: AgentDirectory, slug: str) -> str:
    found = [one.name for one in directory.list() if one.slug == slug]
    return found[0] if found else slug
