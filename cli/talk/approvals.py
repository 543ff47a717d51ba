"""Asking a person whether a tool may run, and `ska approvals`: the rules stored with "always".

Without a host the commands read and write the home's rule file alone and open nothing.
"""

import json
import os
from typing import Annotated

import typer

from skill_agent.events import ApprovalAsked, Choice

from ..opening.running import with_runtime
from ..options import JsonOption, group
from ..output import emit_json, narrate, table
from ..surroundings import Surroundings, surroundings
from .driver import Answer

app = group("See and revoke what agents may always do.")

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


@app.command("list")
def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the stored rules.

    The agent, then the tool and what it may reach.

    \b
    Example:
      ska approvals list
    """
    if _hosted(ctx):
        rules = with_runtime(ctx, lambda runtime: runtime.approvals.rules())
    else:
        from skill_agent.tools.approvals import RuleBook

        rules = RuleBook(surroundings(ctx).home.rules).rules()
    if as_json:
        emit_json([_rule_object(rule) for rule in rules])
        return
    table(
        ("agent", "rule"),
        (rule.partition(" ")[::2] for rule in rules),
        empty="nothing is always allowed",
    )


@app.command()
def revoke(
    ctx: typer.Context,
    rule: Annotated[list[str], typer.Argument(metavar="RULE", help="As `list` shows it.")],
) -> None:
    """Revoke a stored rule: the agent has to ask again.

    \b
    Example:
      ska approvals revoke kyra http_get:example.org
    """
    wanted = " ".join(rule)
    if _hosted(ctx):
        with_runtime(ctx, lambda runtime: runtime.approvals.revoke(wanted))
    else:
        from skill_agent.tools.approvals import RuleBook

        RuleBook(surroundings(ctx).home.rules).revoke(wanted)
    narrate(f"revoked: {wanted}")


def _hosted(ctx: typer.Context) -> bool:
    """Whether another process has the rules in its hands."""
    around = surroundings(ctx)
    if around.api or not hasattr(os, "getuid"):
        return bool(around.api)
    from skill_agent.api.door.addresses import live_socket

    return live_socket(around.home) is not None


def _rule_object(entry: str) -> dict[str, str]:
    agent, _, rule = entry.partition(" ")
    return {"id": entry, "agent": agent, "rule": rule}
