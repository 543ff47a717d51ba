"""A prompt as an editor sends it, told apart: what the person typed, and what came beside it."""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field

from acp.helpers import ContentBlock
from acp.schema import (
    AudioContentBlock,
    BlobResourceContents,
    EmbeddedResourceContentBlock,
    ImageContentBlock,
    ResourceContentBlock,
    TextContentBlock,
)

from skill_agent.conversations.images import image_of
from skill_agent.errors import UsageError
from skill_agent.text.shaping import one_line
from skill_agent.text.whole import whole
from skill_agent.values import Attachment, Image

from .files import Files, NotTaken, checked_text

MOST_WORDS = 1_000_000
"""Characters a person types or pastes into one message."""
MOST_BLOCKS = 200
_WHY = "give the part that matters, or attach the file"


@dataclass(slots=True)
class Prompt:
    """What a prompt holds."""

    words: str = ""
    """The person's; in the place of each file stands its number."""
    attachments: list[Attachment] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """What was not taken, and why."""


async def read_prompt(blocks: Sequence[ContentBlock], files: Files) -> Prompt:
    """Raises UsageError for what cannot be taken at all."""
    if len(blocks) > MOST_BLOCKS:
        raise UsageError(f"the prompt has {len(blocks)} parts; {MOST_BLOCKS} is the most")
    prompt, words, number = Prompt(), list[str](), 0
    for block in blocks:
        match block:
            case TextContentBlock():
                words.append(whole(block.text))
            case ImageContentBlock():
                _take_image(prompt, block)
            case ResourceContentBlock() | EmbeddedResourceContentBlock():
                number += 1
                words.append(f"[file {number}]")
                await _take_file(prompt, block, number, files)
            case AudioContentBlock():
                raise UsageError("sound is not taken", hint="type it, or attach its text")
    prompt.words = _together(words, bare=number)
    if len(prompt.words) > MOST_WORDS:
        raise UsageError(
            f"the message has {len(prompt.words):,} characters; {MOST_WORDS:,} is the most",
            hint=_WHY,
        )
    if not (prompt.words.strip() or prompt.attachments or prompt.images) and prompt.left_out:
        raise UsageError("; ".join(prompt.left_out))
    return prompt


def _together(words: Sequence[str], *, bare: int) -> str:
    """The words in a row; where there are none but numbers of files, nothing was typed."""
    numbers = {f"[file {one}]" for one in range(1, bare + 1)}
    if all(one in numbers or not one.strip() for one in words):
        return ""
    return "".join(words)


def _take_image(prompt: Prompt, block: ImageContentBlock) -> None:
    if not block.data:
        prompt.left_out.append("an image that is only named was not taken")
        return
    prompt.images.append(Image(data=block.data, media_type=block.mime_type))


async def _take_file(
    prompt: Prompt,
    block: ResourceContentBlock | EmbeddedResourceContentBlock,
    number: int,
    files: Files,
) -> None:
    link = isinstance(block, ResourceContentBlock)
    name = one_line(whole(files.named(block.uri if link else block.resource.uri)), 200)
    try:
        if link:
            found = await files.read(block.uri)
            text, name = whole(found.text), one_line(whole(found.name), 200)
        elif isinstance(block.resource, BlobResourceContents):
            text = _decoded(prompt, block.resource, name)
        else:
            text = checked_text(whole(block.resource.text))
    except NotTaken as why:
        prompt.left_out.append(f"file {number} ({name}) was not read: {why}")
        return
    if text:
        numbered = f"{number}: {name}"
        prompt.attachments.append(Attachment(text, origin="file", name=numbered))


def _decoded(prompt: Prompt, blob: BlobResourceContents, name: str) -> str:
    """The text of a file that came as bytes; "" for a picture, which is shown."""
    try:
        raw = b64decode(blob.blob, validate=True)
    except (binascii.Error, ValueError):
        raise NotTaken("it is not base64") from None
    if (blob.mime_type or "").startswith("image/"):
        try:
            prompt.images.append(image_of(raw, name))
        except UsageError as problem:
            raise NotTaken(problem.message) from None
        return ""
    try:
        return checked_text(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotTaken("it is no text") from None
