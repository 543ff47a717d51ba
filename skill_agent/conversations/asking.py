"""What somebody asks an agent for, refused where it cannot mean anything; nothing is begun here."""

from dataclasses import replace

from skill_agent.errors import UsageError
from skill_agent.ports import Ledger
from skill_agent.text.clock import checked_zone, zone_here
from skill_agent.values import Submitted, TurnRequest

from .address import without_address
from .client_context import beside, fenced
from .idempotency import conflict
from .images import checked_images

MAX_PROMPT = 10_000_000
"""Characters of one message; whether it fits a window is the model's to say."""


def checked_request(request: TurnRequest | str) -> TurnRequest:
    """A bare text is all there is to say, and the clock is this machine's where none is named;
    raises UsageError for an empty or oversized one, and for a zone nobody knows."""
    request = TurnRequest(request) if isinstance(request, str) else request
    if not request.text.strip() and not any(one.text.strip() for one in request.attachments):
        raise UsageError("the prompt is empty", hint='ska ask "your question"')
    sent = [text for one in request.attachments for text in (one.text, one.name)]
    size = len(fenced(request.client_context)) + len(request.system) + len(request.text)
    size += sum(map(len, sent))
    if size > MAX_PROMPT:
        raise UsageError(
            f"the prompt has {size:,} characters; {MAX_PROMPT:,} is the most",
            hint="give the part that matters, or the file's path",
        )
    if any("\0" in text for text in (request.text, *sent)):
        raise UsageError(
            "the prompt is not text: it contains zero bytes",
            hint="convert it first, e.g. with iconv or base64",
        )
    zone = checked_zone(request.zone) or zone_here()
    return replace(request, images=checked_images(request.images), zone=zone)


async def begun_before(ledger: Ledger, turn: str, request: TurnRequest) -> Submitted | None:
    """What an earlier submit of this turn gave; raises Conflict for another text or context."""
    messages = await ledger.turn(turn)
    asked = next((one for one in messages if one.role == "user"), None)
    if asked is None:
        return None
    words = without_address(request.text, asked.agent or "")
    sent = beside(request.client_context, request.images, request.attachments)
    if (asked.content, asked.client_context) != (words, sent):
        raise conflict(turn)
    return Submitted(session=asked.session, turn=turn, agent=asked.agent or "")
