"""What a person states in a conversation, sentence by sentence, in their own words.

Signs and lengths decide, in any language; the words that a sentence leans on are data.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skill_agent.conversations.client_context import typed, typed_origins
from skill_agent.memory.remembrances import is_private
from skill_agent.text.language import ENGLISH, language_of
from skill_agent.text.scripts import SHORTENED, UNSPACED
from skill_agent.values import Message, Origin, all_origins

from .fact_patterns import fact_words
from .statement import Statement

LONGEST_MESSAGE = 20_000
"""Characters of a message that are read; longer ones hold pasted text."""
LONGEST, LONG = 500, 200
"""Characters of a sentence that is looked at, and from which on it is taken apart."""
_LEANING = 320
"""Characters of a sentence with the one it leans on."""
_QUESTION = 160
_SHORT, _STANDS = 4, 5
"""Words up to which a sentence cannot stand alone, and from which on half a sentence can."""
_TELLING = 6
"""Words from which on a message tells its language."""
_ANSWER = 8
"""Words up to which what follows a question is its answer."""
_END = re.compile(
    rf"(?<=[.!?…]){SHORTENED}(?<!\bNo\.)(?<!\b\d\.)(?<!\b\d\d\.)[\"'”’»“)\]]*\s+|(?<=[。！？])(?![」』）)])\s*"
)
_ITEM = re.compile(r"^\s*(?:[-*•·]|\d+[.)])\s+")
_BORDER = re.compile(r"\s*[;；]\s*|\s+[–—-]{1,2}\s+")
_BEFORE_ASKING = re.compile(r"(?:\s*[,;，、；]\s*|\s+[–—-]{1,2}\s+)(?=[^,;，、；–—]*$)")
_ASKS = re.compile(r"[?？؟][\"'”’»“)\]」』\s]*$")
_QUOTED = re.compile(
    r"\"[^\"\n]*\s[^\"\n]*\"|[“„«][^”“»\n]*\s[^”“»\n]*[”“»]|「[^」\n]{8,}」|『[^』\n]{8,}』"
)
_QUOTES_LINE = re.compile(r"\s*>")
_LEADS = re.compile(r"[:：]\s+\S|：|[:：]\s*$")
"""A colon: what follows may be another's text."""
_WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+(?:['’.-][^\W_{UNSPACED}]+)*")


def statements_of(messages: Sequence[Message]) -> list[Statement]:
    """Everything the person states, in order; what an assistant says is at most the question that
    a short answer needs."""
    found: list[Statement] = []
    question: str = ""
    asked_by: tuple[Origin, ...] = ()
    spoken = ENGLISH
    for message in messages:
        if message.role == "assistant":
            question, asked_by = _question(message.content), message.origins
        elif message.role == "user":
            text = typed(message)[:LONGEST_MESSAGE]
            likely = (language_of(text, otherwise=spoken), spoken, ENGLISH)
            spoken = likely[0] if size(text) >= _TELLING else spoken
            asked = _Asked(question, asked_by)
            found += _of_message(message, text, tuple(dict.fromkeys(likely)), asked)
            question = ""
    return found


def size(text: str) -> int:
    """How many words a text has; of scripts without blanks two characters count for one."""
    pieces = _WORD.findall(text)
    close = sum(bool(re.match(f"[{UNSPACED}]", one)) for one in pieces)
    return len(pieces) - close + (close + 1) // 2


@dataclass(frozen=True, slots=True)
class _Asked:
    question: str
    by: tuple[Origin, ...]


def _of_message(
    message: Message, text: str, languages: tuple[str, ...], asked: _Asked
) -> Iterator[Statement]:
    known = [words for code in languages if (words := fact_words(code))]
    private = is_private(text)
    unreal = any(words.unreal.search(text) for words in known)
    before, led = "", False
    for line in text.splitlines():
        if _QUOTES_LINE.match(line):
            continue
        for at, sentence in enumerate(sentences(_ITEM.sub("", line, count=1))):
            led = led or bool(_LEADS.search(sentence))
            stands = sentence if not _ASKS.search(sentence) else _before_asking(sentence)
            if stands and len(stands) <= LONGEST:
                leaning = size(stands) <= _SHORT or any(one.leaning.match(stands) for one in known)
                kept = before if at and leaning and len(before + stands) < _LEANING else ""
                answers = bool(asked.question) and not before and size(stands) <= _ANSWER
                yield Statement(
                    text=stands,
                    message=message,
                    before=kept,
                    question=asked.question if answers else "",
                    languages=languages,
                    private=private,
                    invented=unreal or bool(_QUOTED.search(sentence)),
                    led=led,
                    origins=all_origins(typed_origins(message), asked.by if answers else ()),
                )
            before = sentence


def sentences(line: str) -> Iterator[str]:
    """The sentences of a line; a long one in halves where each can stand alone."""
    for piece in _END.split(line):
        sentence = piece.strip()
        if not re.search(r"\w", sentence):
            continue
        halves = _BORDER.split(sentence) if len(sentence) > LONG else [sentence]
        yield from halves if all(size(one) >= _STANDS for one in halves) else [sentence]


def _before_asking(sentence: str) -> str:
    """ "I'm allergic to nuts, what can I cook?": what is stated before the asking begins."""
    asks = _BEFORE_ASKING.search(sentence)
    said = sentence[: asks.start()] if asks else ""
    return said if size(said) >= _STANDS - 1 else ""


def _question(text: str) -> str:
    """The last sentence of a reply if it asks something and is short enough to help."""
    last = [*sentences(text.strip().replace("\n", " "))][-1:]
    return last[0] if last and _ASKS.search(last[0]) and len(last[0]) <= _QUESTION else ""
