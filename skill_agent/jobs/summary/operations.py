"""What can be done with summaries of the day, as an interface with its routes."""

from typing import Protocol

from skill_agent.route import route
from skill_agent.values import DailySummary, SummaryRequest


class DailyOperations(Protocol):
    """What a day came to."""

    @route("POST", "/v1/summary", scope="admin", id="daily_summary")
    async def make(self, request: SummaryRequest) -> DailySummary:
        """What was talked about, decided, promised and left open, now and for one's own eyes: no
        later summary leaves out what this one told."""
        ...
