"""How a line-oriented front end asks whether a tool may run; the desk that waits is elsewhere."""

import json

from skill_agent.events import ApprovalAsked, Choice

from ..output import narrate
from ..surroundings import Surroundings
from .driver import Answer

_CHOICES: dict[str, Choice] = {
    "o": "once", "once": "once", "y": "once", "yes": "once",
    "a": "always", "always": "always",
    "d": "deny", "deny": "deny", "n": "deny", "no": "deny",
}  # fmt: skip


def asking(around: Surroundings) -> Answer:
    """Asks on stderr until the answer is one of the three; shows the rule `always` stores."""

    def ask(event: ApprovalAsked) -> Choice:
        narrate(f"{event.agent} wants to use {event.tool}: {event.reason}")
        for name, value in event.arguments.items():
            narrate(f"  {name} = {json.dumps(value, ensure_ascii=False)}")
        narrate(f"  always would store the rule: {event.rule}")
        while True:
            said = around.read_line("[o]nce, [a]lways or [d]eny? ").strip().lower()
            if said in _CHOICES:
                return _CHOICES[said]

    return ask
