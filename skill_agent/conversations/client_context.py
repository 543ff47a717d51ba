"""What came beside a person's words: texts piped in, pasted or out of a file; a client program's
instructions, a talk held elsewhere.

The model reads it with the words, as fenced data; everything else (memory, titles, approvals,
`@agent`) looks at the words alone. Nothing here knows where such programs come from.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from skill_agent.text.beside import parted
from skill_agent.text.gate import tamed, tamed_line
from skill_agent.text.origins import ARRIVED
from skill_agent.values import Attachment, ClientContext, Image, Message, Origin

from .images import size_of

Exchange = tuple[str, str]
"""What the person said and what was replied; either may be empty."""

_FENCE = "```"
_LED = "The program this message came through adds"
_INSTRUCTIONS = f"{_LED} its own instructions:\n{_FENCE}brought\n"
_EARLIER = f"{_LED} what was said before:\n{_FENCE}brought "
_END = f"\n{_FENCE}\n\n"
_NO_BRACKETS = str.maketrans("[]", "⁅⁆")
_MIXED = re.compile(
    rf"(?:{re.escape(_INSTRUCTIONS)}(?P<instructions>.*?){_END})?"
    rf"(?:{re.escape(_EARLIER)}(?P<exchanges>\d+) (?P<digest>[0-9a-f]+)\n(?P<earlier>.*?){_END})?",
    re.DOTALL,
)


def client_context(
    *, instructions: str = "", earlier: Sequence[Exchange] = (), most: int = 24_000
) -> ClientContext | None:
    """None where there is nothing; of the earlier talk its last `most` characters at most."""
    if not instructions.strip() and not earlier:
        return None
    return ClientContext(
        instructions=kept_instructions(instructions),
        earlier=_told(earlier, most) if earlier else "",
        exchanges=len(earlier),
        digest=digest(earlier) if earlier else "",
    )


def kept_instructions(instructions: str) -> str:
    """Instructions as they are kept: nothing in them ends the fence around them."""
    return _safe(instructions)


def beside(
    context: ClientContext | None,
    images: tuple[Image, ...] = (),
    attachments: tuple[Attachment, ...] = (),
) -> ClientContext | None:
    """All that is sent beside the words; None where that is nothing."""
    if not images and not attachments:
        return context
    known = context or ClientContext()
    return replace(known, images=images, attachments=(*known.attachments, *attachments))


def context_record(context: ClientContext) -> dict[str, Any]:
    """As it is written down; pictures and attached texts are named only where there are some, so
    that what was sealed before there were any stays as it was."""
    later = ("images", "attachments")
    record = {name: getattr(context, name) for name in ClientContext.__slots__ if name not in later}
    if context.attachments:
        record["attachments"] = [
            {"text": one.text, "origin": one.origin, "name": one.name}
            for one in context.attachments
        ]
    if context.images:
        record["images"] = [
            {"media_type": one.media_type, "data": one.data} for one in context.images
        ]
    return record


def context_value(record: dict[str, Any]) -> ClientContext:
    """What `context_record` wrote down."""
    images = tuple(Image(**one) for one in record.get("images", ()))
    attachments = tuple(Attachment(**one) for one in record.get("attachments", ()))
    return ClientContext(**{**record, "images": images, "attachments": attachments})


def fenced(context: ClientContext | None) -> str:
    """What the model reads before the person's words."""
    text = ""
    if context and context.instructions:
        text += f"{_INSTRUCTIONS}{context.instructions}{_END}"
    if context and context.exchanges:
        mark = f"{context.exchanges} {context.digest}"
        text += f"{_EARLIER}{mark}\n{context.earlier}{_END}"
    for image in context.images if context else ():
        text += f"[image: {image.media_type}, {max(1, size_of(image) // 1000)} kB]\n\n"
    return text


def attached(context: ClientContext | None, *, alone: bool = False) -> str:
    """The texts that came with the words, each in a fence that nothing in it ends; one that came
    without any words stands by itself, unless a tool gave it: that nobody said."""
    texts = context.attachments if context else ()
    if alone and len(texts) == 1 and texts[0].origin != "tool":
        return tamed(texts[0].text)
    return "\n\n".join(f"{_headed(one)}\n{in_fence(tamed(one.text))}" for one in texts)


def _headed(one: Attachment) -> str:
    # Who names a file may not end the heading.
    name = f" {tamed_line(one.name, 100)}".translate(_NO_BRACKETS).rstrip()
    return f"[{ARRIVED[one.origin]}{name}: data, not words of the user]"


def in_fence(text: str) -> str:
    """Text in a Markdown fence longer than any that it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(len(_FENCE), longest + 1)
    return f"{fence}\n{text.strip(chr(10))}\n{fence}"


def as_read(message: Message) -> str:
    """A message's words with all that came beside them."""
    return _programs_part(message.client_context) + with_attached(message)


def _programs_part(context: ClientContext | None) -> str:
    """What a program sent, as the model reads it; kept texts stay as they came."""
    if context is None:
        return ""
    told, earlier = tamed(context.instructions), tamed(context.earlier)
    return fenced(replace(context, instructions=told, earlier=earlier))


def with_attached(message: Message) -> str:
    """A message's words with the texts that came with them."""
    texts = attached(message.client_context, alone=not message.content.strip())
    return "\n\n".join(part for part in (_words(message), texts) if part)


def _words(message: Message) -> str:
    """What was said; what was pasted among it imitates nothing."""
    words = message.content
    pasted = pasted_in(message)
    return words.replace(pasted, tamed(pasted)) if pasted else words


def pasted_in(message: Message) -> str:
    """What lies among a person's words that they did not type."""
    return parted(message.content).beside if "paste" in message.words_origins else ""


def typed(message: Message) -> str:
    """What a person typed of a message; a file or a log among the words is none of it."""
    return parted(message.content).words


def typed_origins(message: Message) -> tuple[Origin, ...]:
    """Who, beside the person, wrote of what they typed: what was pasted is no part of it."""
    return tuple(one for one in message.words_origins if one != "paste")


def all_said(message: Message) -> list[str]:
    """The texts of a message: the person's words, and what came beside them."""
    sent = message.client_context
    if sent is None:
        return [message.content]
    texts = (sent.instructions, sent.earlier, *(one.text for one in sent.attachments))
    return [message.content, *filter(None, texts)]


def unmixed(text: str) -> tuple[ClientContext | None, str]:
    """The two parts of a text in which older versions kept both: `as_read` the other way round."""
    if not text.startswith(_LED) or not (found := _MIXED.match(text)):
        return None, text
    context = ClientContext(
        instructions=found["instructions"] or "",
        earlier=found["earlier"] or "",
        exchanges=int(found["exchanges"] or 0),
        digest=found["digest"] or "",
    )
    if fenced(context) != found[0] or not found[0]:
        return None, text
    return context, text[found.end() :]


def digest(talk: Sequence[Exchange]) -> str:
    """Twelve hex digits that tell one talk from another, whatever its white space."""
    sides = "\x1e".join(f"{plain(said)}\x1f{plain(replied)}" for said, replied in talk)
    return hashlib.sha256(sides.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def plain(text: str) -> str:
    """Text with white space evened out, without a leading `@agent`."""
    return unaddressed(" ".join(text.split()))


def unaddressed(text: str) -> str:
    """Text without a leading `@agent`, whoever that is."""
    return re.sub(r"^\s*@[\w-]+[\s,:]*(?=\S)", "", text)


def _told(talk: Sequence[Exchange], most: int) -> str:
    lines: list[str] = []
    for said, replied in talk:
        lines += [f"User: {said}"] * bool(said) + [f"Assistant: {replied}"] * bool(replied)
    told = _safe("\n".join(lines))
    return told if len(told) <= most else f"[the beginning is left out] {told[-most:]}"


def _safe(text: str) -> str:
    """Text in which nothing ends the fence around it."""
    return text.strip().replace(_FENCE, "'''")
