"""A reply's Markdown as messages: text with entities, none longer than Telegram takes.

Nothing is lost on the way: what the converter would drop (raw HTML) is kept as it was written, and
where the conversion fails the text goes as it is.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from telegramify_markdown import MessageEntity, RenderConfig

LONGEST = 4096
"""UTF-16 units of one message, after its entities were worked out."""

_SCHEMES = ("http://", "https://", "mailto:", "tel:", "tg://")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_CODE_SPAN = re.compile(r"(`+)(?!`)(?:.|\n(?!\s*\n))*?(?<!`)\1(?!`)")
_VANISHING = re.compile(r"(?<!\\)(?:<(?=[A-Za-z/!?])(?!(?:https?|mailto|tel):)|\$)")
"""What would pass for HTML or for a formula."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message."""

    text: str
    entities: tuple[dict[str, Any], ...] = ()

    @property
    def plain(self) -> "Part":
        return Part(self.text)


def units(text: str) -> int:
    """How long Telegram finds it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parts_of(markdown: str) -> list[Part]:
    """The messages that carry it; none for a text of nothing but blanks."""
    from telegramify_markdown import convert

    whole = _sound(markdown)
    try:
        text, entities = convert(_kept(whole), latex_escape=False, config=_config())
    except Exception:  # whatever a text does to the converter, it is told
        return plain_parts(whole)
    if not text.strip():
        return plain_parts(whole)
    return _split(text, _allowed(entities))


def plain_parts(text: str) -> list[Part]:
    return _split(_sound(text), ())


def _sound(text: str) -> str:
    """Without halves of characters and zero bytes, which cannot be sent."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _config() -> "RenderConfig":
    """Headings without pictures before them."""
    from telegramify_markdown.config import RenderConfig

    config = RenderConfig.isolated()
    symbols = config.markdown_symbol
    symbols.heading_level_1 = symbols.heading_level_2 = ""
    symbols.heading_level_3 = symbols.heading_level_4 = ""
    symbols.unordered_list_item = "•"
    return config


def _kept(markdown: str) -> str:
    """Signs that the converter would take for something else, and drop, stand for themselves."""
    parts, at = list[str](), 0
    for begin, end in _code(markdown):
        parts += [_VANISHING.sub(r"\\\g<0>", markdown[at:begin]), markdown[begin:end]]
        at = end
    return "".join([*parts, _VANISHING.sub(r"\\\g<0>", markdown[at:])])


def _code(markdown: str) -> Iterable[tuple[int, int]]:
    """Where code stands, in which nothing is escaped."""
    at = 0
    while at < len(markdown):
        fence, span = _FENCE.search(markdown, at), _CODE_SPAN.search(markdown, at)
        if fence and (span is None or fence.start() <= span.start()):
            mark = fence[1]
            closing = re.compile(rf"^ {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}\s*$", re.M)
            line_end = markdown.find("\n", fence.end())
            closed = closing.search(markdown, line_end) if line_end >= 0 else None
            at = closed.end() if closed else len(markdown)
            yield fence.start(), at
        elif span:
            at = span.end()
            yield span.start(), at
        else:
            return


def _allowed(entities: Sequence["MessageEntity"]) -> list["MessageEntity"]:
    """Without links to anything but places and people: their words stay."""
    return [
        one
        for one in entities
        if one.type != "text_link" or (one.url or "").lower().startswith(_SCHEMES)
    ]


def _split(text: str, entities: Sequence["MessageEntity"]) -> list[Part]:
    from telegramify_markdown import split_entities

    found = split_entities(text, [*entities], LONGEST)
    return [_trimmed(one, held) for one, held in found]


def _trimmed(text: str, entities: Sequence["MessageEntity"]) -> Part:
    """Without blanks at its end, which Telegram drops, and entities that would reach into them."""
    text = text.rstrip()
    end = units(text)
    held = [one for one in entities if one.offset < end]
    clipped = [one.copy_with(length=min(one.length, end - one.offset)) for one in held]
    return Part(text, tuple(one.to_dict() for one in clipped))
