"""Which calls may simply be sent again when their answer was lost with the host.

A call with a key is done once however often it is sent; most others do the same thing twice. Here
is what is different about the rest.
"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from skill_agent.errors import NotFound, OutcomeUnknown, SkillAgentError, UsageError
from skill_agent.workstation import Operation

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

Arguments = dict[str, Any]


def repeatable(operation: Operation, arguments: Arguments) -> bool:
    """Whether a call that may have been carried out can be sent once more."""
    if operation.id == "conversations.rename":
        return _is_id(str(arguments.get("ref", "")))  # a title is gone once it was changed
    return not operation.route.once


def ends_the_host(operation: Operation) -> bool:
    """The loss of the host is what was asked for."""
    return operation.id == "host.stop"


def unknown(operation: Operation) -> OutcomeUnknown:
    """What is told where the outcome cannot be known."""
    what = operation.public_id.replace("_", " ").replace(".", ": ")
    return OutcomeUnknown(
        f"the process that held the home went away during “{what}”; it may have been done or not",
        hint="look before you repeat it",
    )


async def done_before(
    station: "Workstation", operation: Operation, arguments: Arguments, refusal: SkillAgentError
) -> Any:
    """The answer of a call sent again that is refused because the first time did it; raises the
    refusal where it did not."""
    match operation.id, refusal:
        case "approvals.revoke", NotFound():
            return None
        case "memory.correct", UsageError():
            old = await station.memory.get(arguments["memory_id"])
            if old.superseded_by:
                new = await station.memory.get(old.superseded_by)
                if new.content == str(arguments["content"]).strip():
                    return new
    raise refusal


def _is_id(ref: str) -> bool:
    try:
        return str(UUID(ref)) == ref.lower()
    except ValueError:
        return False
