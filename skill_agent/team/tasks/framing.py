"""A task as its agent is asked for it.

What a person wrote is their words. What an agent wrote is a text of that agent's: it comes beside
words of this program, framed and tamed as any text of others, so that nothing in it is remembered,
fetched or allowed as if the person had said it.
"""

from collections.abc import Sequence

from skill_agent.text.gate import tamed_line
from skill_agent.values import AgentTask, Attachment, Origin, TurnRequest, all_origins

PERSON = "person"
_ASKS = (
    "{name}, a colleague of yours, asks you for a piece of work; what it is stands below under "
    "{quoted}. Do it and give the result. Whoever reads it sees nothing but your reply."
)
_EXPECTED = "\n\nWhat is expected: {}"


def framed(
    task: AgentTask, *, asker: str, artifacts: Sequence[AgentTask] = ()
) -> tuple[str, tuple[Attachment, ...]]:
    """The words, and the texts that come beside them. `asker` is the name of whoever asks."""
    by_agent = task.created_by != PERSON
    beside: list[Attachment] = []
    if by_agent:
        quoted = f'"the task of {tamed_line(asker, 60)}"'
        text = _ASKS.format(name=tamed_line(asker, 60), quoted=quoted)
        beside.append(Attachment(task.instructions, origin="agent", name=quoted.strip('"')))
        if task.expected_output:
            said = f"What is expected of it:\n{task.expected_output}"
            beside.append(Attachment(said, origin="agent", name="what is expected"))
    else:
        text = task.instructions
        if task.expected_output:
            text += _EXPECTED.format(task.expected_output)
    if task.context:
        origin = _writer(task, by_agent=by_agent)
        beside.append(Attachment(task.context, origin=origin, name="context"))
    beside += [
        Attachment(one.result, origin="agent", name=f"result of {tamed_line(one.title, 60)}")
        for one in artifacts
        if one.result
    ]
    return text, tuple(beside)


def _writer(task: AgentTask, *, by_agent: bool) -> Origin:
    """Whose text the context is: an agent's, or whoever's it is that the person passes on."""
    if by_agent or task.stage or "agent" in task.origins:
        return "agent"
    return task.origins[0] if task.origins else "paste"


def origins_of(task: AgentTask, artifacts: Sequence[AgentTask] = ()) -> tuple[Origin, ...]:
    """Who, beside the person, wrote what the agent is given."""
    by_agent: tuple[Origin, ...] = ("agent",) if task.created_by != PERSON or artifacts else ()
    return all_origins(task.origins, by_agent, *(one.origins for one in artifacts))


def chain_of(before: Sequence[str], task: AgentTask, *, asker: str, worker: str) -> tuple[str, ...]:
    """Who asked whom for what, as an approval names it."""
    known = tuple(before) or ((asker,) if task.created_by != PERSON else ())
    return (*known, f"{worker}: {tamed_line(task.title, 60)}")


def asked(
    task: AgentTask,
    text: str,
    *,
    turn: str,
    session: str | None,
    attachments: tuple[Attachment, ...],
    origins: tuple[Origin, ...],
    chain: tuple[str, ...],
) -> TurnRequest:
    """The request for a task's turn; who asks by which key is the caller's to add."""
    return TurnRequest(
        text,
        session=session,
        agent=task.assigned_to,
        model=task.model,
        interactive=task.interactive,
        key=turn,
        attachments=attachments,
        response_schema=task.response_schema,
        detach=True,
        parent=task.parent_turn,
        task=task.id,
        origins=origins,
        max_tool_calls=task.allowance.max_tool_calls,
        chain=chain,
    )
