"""What an import would bring in, told before it does, and the question whether it may."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import UsageError

from ..output import emit_json, narrate
from ..surroundings import Surroundings

if TYPE_CHECKING:
    from skill_agent.values import ImportPlan

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Tell what would come in, and stop.")]
TrustOption = Annotated[
    bool,
    typer.Option(
        "--trust", help="Take everything as it is: only a file that a home of yours signed."
    ),
]
KeyOption = Annotated[
    str,
    typer.Option(
        "--key", metavar="KEY", help="With --trust: the other home's key, as its export told."
    ),
]

_SIGNED = {
    "no": "it is not signed",
    "own": "this home signed it: with --trust everything comes in as it is",
    "other": "another home signed it: if it is yours, --trust --key KEY takes everything as it is",
}
_KINDS = {
    "identity": "that say who an agent is",
    "user_profile": "about you",
    "shared": "of the team",
    "pinned": "that are pinned",
    "importance": "more important than 8",
}


def check_trust(file: str, *, trust: bool, key: str) -> None:
    """Raises UsageError where the options cannot mean anything."""
    if key and not trust:
        raise UsageError("--key says whose signature to trust", hint="add --trust")
    if trust and file == "-":
        raise UsageError("what comes from a pipe bears no signature", hint="name the file")


def tell_plan(plan: "ImportPlan", *, wrong: int = 0) -> None:
    """For a person, on standard error."""
    narrate("This would be imported:")
    for line in _brought(plan):
        narrate(f"  {line}")
    if wrong:
        narrate(f"  {wrong} wrong lines would be left out")
    if plan.unknown_agents:
        narrate(f"  for agents that are not in the team here: {', '.join(plan.unknown_agents)}")
    if plan.trusted:
        narrate("It is signed and trusted: everything comes in as it is.")
        return
    less, out = _counts(plan.demoted, _KINDS), _counts(plan.refused)
    narrate("Nobody vouches for who wrote it, so it is marked as brought in from outside.")
    if less:
        narrate(f"  only as plain memories, unpinned: those {less}")
    if out:
        narrate(f"  not at all: {out}")
    narrate(f"  ({_SIGNED[plan.signed]})")


def agreed_to(around: Surroundings, *, yes: bool) -> bool:
    """Whether the person wants what was just told; raises UsageError where nobody can be asked."""
    if not yes and not around.interactive:
        raise UsageError(
            "nothing was imported: nobody could be asked whether to",
            hint="look at it with --dry-run, then say --yes",
        )
    if yes or around.confirm("Import this?", default=False):
        return True
    narrate("nothing was imported")
    return False


def plan_object(plan: "ImportPlan") -> dict[str, Any]:
    """The plan for a script."""
    return asdict(plan)


def emit_plan(name: str, plan: "ImportPlan", **more: Any) -> None:
    """The plan alone, on standard output."""
    emit_json({"id": name, "dry_run": True, **more, **plan_object(plan)})


def _brought(plan: "ImportPlan") -> list[str]:
    total = sum(plan.memories.values())
    pinned = f", {plan.pinned} pinned" if plan.pinned else ""
    lines = [f"{total} memories{': ' if total else ''}{_counts(plan.memories)}{pinned}"]
    if plan.sessions:
        messages = f"{sum(plan.messages.values())} messages ({_counts(plan.messages)})"
        lines.append(f"{plan.sessions} conversations with {messages}")
    if plan.notes:
        lines.append(f"{sum(plan.notes.values())} notes: {_counts(plan.notes)}")
    if plan.there:
        lines.append(f"{plan.there} of the memories and conversations are here already")
    return lines


def _counts(counts: dict[str, int], words: dict[str, str] | None = None) -> str:
    said = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{count} {(words or {}).get(name, name)}" for name, count in said if count)
