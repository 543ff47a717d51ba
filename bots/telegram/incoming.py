"""What somebody wrote, told apart: words they typed, and what others wrote that came with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from skill_agent.values import Attachment

if TYPE_CHECKING:
    from telegram import Message, User


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A photo or document that came along."""

    id: str
    name: str
    size: int
    photo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One message."""

    chat: int
    message: int
    person: int
    name: str
    language: str
    group: bool
    words: str
    """What its sender typed."""
    beside: tuple[Attachment, ...] = ()
    """Forwarded and quoted texts."""
    file: File | None = None
    odd: str = ""
    """What it holds that cannot be read here: `voice`, `sticker` …"""
    answers: int | None = None
    """The bot's message it replies to."""
    called: bool = False
    """In a group: the bot is mentioned or replied to."""

    def key(self, bot: int) -> str:
        """The turn's key: the same message, however often it comes, is the same turn."""
        return key_of(bot, self.chat, self.message)


def key_of(bot: int, chat: int, message: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"telegram:{bot}:{chat}:{message}"))


_ODD = (
    "voice", "audio", "video", "video_note", "sticker", "animation", "location", "contact", "poll",
    "dice", "venue", "story", "game",
)  # fmt: skip


def incoming(message: "Message", me: int, username: str) -> Incoming | None:
    """None for what nobody wrote, such as somebody joining."""
    sender = message.from_user
    if sender is None or sender.is_bot:
        return None
    said = message.text or message.caption or ""
    forwarded = message.forward_origin is not None
    file = _file(message)
    odd = "" if file else next((one for one in _ODD if getattr(message, one, None)), "")
    if not said and file is None and not odd:
        return None
    replied = message.reply_to_message
    to_bot = bool(replied and replied.from_user and replied.from_user.id == me)
    mark = f"@{username}".lower()
    called = to_bot or (bool(username) and mark in said.lower())
    group = message.chat.type != "private"
    words = "" if forwarded else said
    if group:
        words = _without(words, mark)
    return Incoming(
        chat=message.chat.id,
        message=message.message_id,
        person=sender.id,
        name=_name(sender),
        language=(sender.language_code or "").partition("-")[0].lower(),
        group=group,
        words=words.strip(),
        beside=tuple(_beside(message, said if forwarded else "", me)),
        file=file,
        odd=odd,
        answers=replied.message_id if replied and to_bot else None,
        called=called,
    )


def _file(message: "Message") -> File | None:
    if message.photo:
        best = message.photo[-1]
        return File(id=best.file_id, name="photo", size=best.file_size or 0, photo=True)
    document = message.document
    if document is None or message.animation:
        return None
    return File(
        id=document.file_id,
        name=_plain(document.file_name or "document"),
        size=document.file_size or 0,
        photo=(document.mime_type or "").startswith("image/"),
    )


def _beside(message: "Message", forwarded: str, me: int) -> Sequence[Attachment]:
    """Others' words are data, whoever brings them here."""
    found: list[Attachment] = []
    if forwarded:
        found.append(Attachment(forwarded, origin="paste", name=_forwarded_from(message)))
    replied, quote = message.reply_to_message, message.quote
    if quote is not None and quote.text:
        found.append(Attachment(quote.text, origin="paste", name="a quoted passage"))
    elif replied is not None and replied.from_user is not None and replied.from_user.id != me:
        said = replied.text or replied.caption or ""
        theirs = message.from_user is None or replied.from_user.id != message.from_user.id
        if said and (theirs or replied.forward_origin is not None):
            found.append(Attachment(said, origin="paste", name="a message replied to"))
    return found


def _forwarded_from(message: "Message") -> str:
    origin: Any = message.forward_origin
    for field in ("sender_user", "chat", "sender_chat"):
        if (one := getattr(origin, field, None)) is not None:
            name = getattr(one, "title", None) or getattr(one, "first_name", "") or ""
            return _plain(f"a message forwarded from {name}")
    name = getattr(origin, "sender_user_name", "") or "somebody"
    return _plain(f"a message forwarded from {name}")


def _without(text: str, mark: str) -> str:
    """The text without the bot's own name, which calls it and says nothing."""
    at = text.lower().find(mark) if len(mark) > 1 else -1
    while at >= 0:
        text = f"{text[:at]}{text[at + len(mark) :]}"
        at = text.lower().find(mark)
    return text


def _name(sender: "User") -> str:
    return _plain(sender.full_name or sender.username or str(sender.id))


def _plain(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:80]
