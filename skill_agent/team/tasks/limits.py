"""What tasks are held to, all in one place; what a single task may take is its `Allowance`."""

from skill_agent.errors import UsageError
from skill_agent.values import Allowance, FailureReason
from skill_agent.values.backoff import Backoff

RUNNING = 5
"""Tasks an agent works on at once; one that waits for a colleague's work does not count."""
WAITING = 100
"""Tasks that may wait for an agent."""
RETRIES = 2
"""So often a task is tried again by itself."""
PAUSES = Backoff(1.0, 8.0)
"""Before it is."""
LONGEST = 200_000
"""Characters of a task's instructions, and of what goes with them."""
LONGEST_TITLE = 80
MAY_PASS: frozenset[FailureReason] = frozenset(
    {"model_unavailable", "model_failed", "error", "host_lost"}
)
"""Why a turn failed that may do better next time."""


def checked(allowance: Allowance) -> Allowance:
    """Raises UsageError for one with which nothing could be done."""
    wrong = [
        name
        for name, value in (
            ("max_tokens", allowance.max_tokens),
            ("timeout_s", allowance.timeout_s),
        )
        if not value > 0
    ]
    if allowance.max_tool_calls < 0:
        wrong.append("max_tool_calls")
    if allowance.max_usd is not None and not allowance.max_usd >= 0:
        wrong.append("max_usd")
    if wrong:
        raise UsageError(
            f"nothing can be done within such an allowance ({', '.join(wrong)})",
            hint="leave it out for the usual one",
        )
    return allowance
