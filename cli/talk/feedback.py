"""`ska feedback`: a thumb on a reply, and what that did to the memories behind it."""

from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import UsageError

from ..opening.running import with_runtime
from ..options import JsonOption, single
from ..output import emit_json, narrate, plain, table

if TYPE_CHECKING:
    from skill_agent.values import FeedbackResult, Rating
    from skill_agent.workstation import Workstation

app = single()


@app.command()
def feedback(
    ctx: typer.Context,
    message: Annotated[
        str, typer.Argument(metavar="REPLY", help="Id of a reply, its beginning, or `latest`.")
    ],
    rating: Annotated[str, typer.Argument(metavar="up|down", help="Good or bad.")],
    comment: Annotated[str, typer.Option("--comment", "-m", help="In your words.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Rate a reply; the memories it was based on gain or lose a little weight.

    Rating it again the other way takes the first back. What falls below importance 3 is flagged:
    `ska memory list --review`.

    \b
    Examples:
      ska feedback latest up
      ska feedback 0198f2 down --comment "the deadline has moved"
    """
    chosen = _rating(rating)

    async def work(runtime: "Workstation") -> "FeedbackResult":
        return await runtime.feedback.rate(message, chosen, comment)

    done = with_runtime(ctx, work)
    if as_json:
        emit_json(
            {
                "id": done.message.id,
                "rating": done.rating,
                "repeated": done.repeated,
                "memories": [
                    {"id": one.memory.id, "old": one.old, "new": one.new} for one in done.memories
                ],
                "flagged": plain(done.flagged),
            }
        )
        return
    table(
        ("memory", "before", "after", "content"),
        ((one.memory.id, one.old, one.new, one.memory.content) for one in done.changed),
    )
    if done.repeated:
        narrate(f"this reply was rated {done.rating} already")
    else:
        changed = len(done.changed)
        weight = "memory changed its" if changed == 1 else "memories changed their"
        narrate(f"rated {done.rating}; {changed} {weight} weight")
    if flagged := len(done.flagged):
        verb = "is" if flagged == 1 else "are"
        narrate(f"{flagged} {verb} flagged for review: ska memory list --review")


def _rating(text: str) -> "Rating":
    match text:
        case "up" | "down":
            return text
    raise UsageError(f"{text!r} is not one of up, down", hint="ska feedback latest up")
