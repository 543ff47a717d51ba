"""Asking a person whether a tool may run, and `ska approvals`: what waits for an answer, and the
rules stored with "always".

Without a host the commands read and write the home's rule file alone and open nothing.
"""

import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import NotFound
from skill_agent.events import ApprovalAsked, Choice
from skill_agent.text.attachments import writers
from skill_agent.text.decisions import hosts_in, in_a_row, in_one_line, tail_of, value_lines

from ..opening.running import with_runtime
from ..options import JsonOption, group
from ..output import emit_json, narrate, table
from ..streams import drop_typed_ahead
from ..surroundings import Surroundings, surroundings
from .driver import Answer, Decided

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

app = group("Answer what agents ask; see and revoke what they may always do.")

_CHOICES: dict[str, Choice] = {
    "o": "once", "once": "once", "y": "once", "yes": "once",
    "a": "always", "always": "always",
    "d": "deny", "deny": "deny", "n": "deny", "no": "deny",
}  # fmt: skip


_REVISE = ("r", "revise")


def _instead(said: str) -> str:
    """What is to be done instead of the call; empty where that is not said."""
    word, colon, rest = said.partition(":")
    return rest.strip() if colon and word.strip().lower() in _REVISE else ""


def asking(around: Surroundings) -> Answer:
    """Asks on stderr until the answer is clear; shows the rule `always` stores."""

    def ask(event: ApprovalAsked) -> Decided:
        for line in _question(event):
            narrate(line)
        drop_typed_ahead()
        while True:
            said = around.read_line("[o]nce, [a]lways, [d]eny or [r]evise: … ? ").strip()
            if said.lower() in _CHOICES:
                return _CHOICES[said.lower()], ""
            if instead := _instead(said):
                return "deny", instead
            if said.lower() in _REVISE:
                narrate("  say what to do instead, as in: r: ask Luke")

    return ask


def _question(event: ApprovalAsked) -> Iterator[str]:
    """All that is asked; several lines stand behind a bar, so that none of them passes for ours."""
    hosts = hosts_in(event.arguments)
    reached = f" → {hosts}" if hosts else ""
    yield f"{in_one_line(event.agent)} wants to use {in_one_line(event.tool)}{reached}"
    if event.chain:
        yield f"  asked for by: {in_a_row(event.chain)}"
    for name, value in event.arguments.items():
        first, *more = value_lines(value)
        if more:
            yield f"  {in_one_line(name)} ="
            yield from (f"    │ {line}" for line in (first, *more))
        else:
            yield f"  {in_one_line(name)} = {first}"
        if tail := tail_of(value):
            yield f"    ({tail})"
    if event.reason:
        yield f"  why: {in_one_line(event.reason)}"
    if event.origins:
        yield f"  {writers(event.origins)} stands in this conversation"
    yield f"  always would store the rule: {in_one_line(event.rule)}"


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
def waiting(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the questions that wait for a decision.

    Of every window and program that has this home open; nothing waits where none is.

    \b
    Example:
      ska approvals waiting
    """
    found = with_runtime(ctx, lambda runtime: runtime.approvals.waiting()) if _hosted(ctx) else []
    if as_json:
        emit_json(found)
        return
    table(
        ("id", "agent", "asked for by", "tool", "asks for", "why", "until"),
        (
            (
                one.id,
                one.agent,
                in_a_row(one.chain),
                one.tool,
                _arguments(one.arguments),
                one.reason,
                one.expires,
            )
            for one in found
        ),
        empty="nothing waits for a decision",
    )


@app.command()
def answer(
    ctx: typer.Context,
    approval: Annotated[str, typer.Argument(metavar="ID", help="As `waiting` shows it.")],
    choice: Annotated[Choice, typer.Argument(help="`always` stores a rule.")],
    instead: Annotated[
        str, typer.Option(help="With deny: what to do instead; the model reads it.")
    ] = "",
) -> None:
    """Answer a question that waits: once, always or deny.

    \b
    Examples:
      ska approvals answer 0193f2a0-5a1c-7c3e-9d7f-2b8f4f6f1a11 once
      ska approvals answer 0193f2a0-5a1c-7c3e-9d7f-2b8f4f6f1a11 deny --instead "ask Luke"

    \b
    Exit codes: 0 answered, 2 it does not wait (any more).
    """
    said = partial(_answered, approval=approval, choice=choice, words=instead)
    if not (_hosted(ctx) and with_runtime(ctx, said)):
        raise NotFound(f"no question {approval} waits", hint="ska approvals waiting")
    narrate(f"answered: {choice}")


async def _answered(runtime: "Workstation", *, approval: str, choice: Choice, words: str) -> bool:
    return await runtime.approvals.answer(approval, choice, words=words)


def _arguments(arguments: Mapping[str, Any]) -> str:
    told = ((name, " ".join(value_lines(value))) for name, value in arguments.items())
    return ", ".join(f"{in_one_line(name)}={value}" for name, value in told)


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
