"""A process that is killed in a collaboration, as it asks the model for the N-th reply.

Usage: dies_together.py HOME PATTERN N
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fakes import HashEmbedder
from skill_agent.cli.opening.home import open_home

from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.ports import ModelRequest
from skill_agent.values import ModelProfile, NewCollaboration, Participant, Pattern

GOAL = "Which tree fits a small garden?"
TEAM: dict[str, tuple[str, ...]] = {
    "supervisor_worker": ("kyra", "luke", "ada"),
    "pipeline": ("luke", "ada", "kyra"),
    "peer_review": ("ada", "luke"),
    "brainstorm": ("kyra", "luke", "ada"),
    "consensus": ("kyra", "luke", "ada"),
    "delegation": ("kyra", "luke"),
}


def speaking(at: Callable[[int], None] = lambda _: None) -> ScriptedModel:
    """Approves, votes for the apple, and says how many replies came before; `at` hears of each."""
    replies = 0

    def said(request: ModelRequest) -> str:
        nonlocal replies
        if request.purpose != "reply":
            return "{}"
        replies += 1
        at(replies)
        if request.response_schema is None:
            return f"Plant an apple tree, says number {replies}."
        wanted = request.response_schema["properties"]
        if "approved" in wanted:
            return json.dumps({"approved": True, "comments": "Good."})
        return json.dumps({"choice": "Apple", "reason": "It stays small."})

    return ScriptedModel(otherwise=said, profile=ModelProfile(strength="small"))


def goal(pattern: Pattern) -> NewCollaboration:
    people = tuple(Participant(slug=one) for one in TEAM[pattern])
    return NewCollaboration(GOAL, pattern=pattern, participants=people)


async def main(home: str, pattern: Pattern, number: str) -> None:
    def dies(reply: int) -> None:
        if reply == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    gateway = ScriptedGateway(speaking(dies))
    async with open_home(home, create=True, gateway=gateway, embedder=HashEmbedder()) as runtime:
        with runtime.turns.subscribe() as events:
            await runtime.collaborations.start(goal(pattern))
            async for _ in events:
                pass


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))  # type: ignore[arg-type]
