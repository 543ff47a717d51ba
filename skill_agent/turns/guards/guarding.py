"""A small model's reply looked at sentence by sentence before anybody sees it.

It says sentences back, speaks as the person who told them, and fills gaps with values it makes
up. The first is worth another try, the second can be put right, the third ends in an honest line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from skill_agent.text.language import language_of
from skill_agent.text.parroting import echoes, has_mine, speaks_as, strange_values, turned
from skill_agent.text.scripts import HAN, KATAKANA, SHORTENED
from skill_agent.text.strays import strays
from skill_agent.turns.manner import Manner

TELLS_LANGUAGE = 16
"""Characters from which a sentence tells its language."""
_ENDS = re.compile(rf"(?<=[^\d\W][.!?…]){SHORTENED}[\"”»)]*\s+|(?<=[。！？])|\n+")


@dataclass(slots=True)
class Guard:
    """Watches one reply. `told` is everything it may speak from."""

    manner: Manner
    said: str
    told: Sequence[str] = ()
    whole: bool = False
    """Nothing is shown before the end, and only if it came from what was told."""
    figures: bool = False
    """Every number has to stand in what was told."""
    lenient: bool = False
    """A second try at something code has no answer to: shown as it is."""
    sentences: int = 0
    """Shown so far."""
    fault: str = ""
    """What ended it: `echo`, `person`, `value`, `language` or `ground`."""
    _pending: str = field(default="")

    def feed(self, piece: str) -> str:
        """The next piece in, what may be shown out; "" while a sentence is not whole."""
        self._pending += piece
        shown = ""
        if self.whole:
            return shown
        while not self.fault and (end := _ENDS.search(self._pending)):
            sentence, self._pending = self._pending[: end.end()], self._pending[end.end() :]
            shown += self._passed(sentence)
        return shown

    def rest(self) -> str:
        """What is left at the end of the reply."""
        pending, self._pending = self._pending, ""
        own = has_mine(pending, self.manner.language)  # whose life is it?
        if self.whole and (own or not grounded(pending, self.said, self.told)):
            self.fault = "ground"
        return self._passed(pending) if pending.strip() and not self.fault else ""

    @property
    def again(self) -> bool:
        """Whether another try may do better."""
        return self.fault not in ("", "ground") and not self.sentences

    def _passed(self, sentence: str) -> str:
        """The sentence as it may be shown; "" where it may not be."""
        if self.manner.hint:  # read, and said again
            sentence = sentence.replace(self.manner.hint, "")
        if self.lenient:
            self.sentences += bool(sentence.strip())
            return sentence
        spoken = self._spoken_right(sentence)
        if spoken is None:
            self.fault = "person"
        elif self._foreign(spoken):
            self.fault = "language"
        elif self._parrots(spoken):
            self.fault = "echo"
        elif self._strays(spoken):
            self.fault = "value"
        else:
            self.sentences += bool(spoken.strip())
            return spoken
        return ""

    @property
    def _known(self) -> list[str]:
        return [self.said, *self.told]

    def _foreign(self, sentence: str) -> bool:
        """Whether it is in another language; what was asked to be written may well be."""
        if self.manner.kind == "do" or len(sentence.strip()) < TELLS_LANGUAGE:
            return False
        return language_of(sentence, otherwise=self.manner.code) != self.manner.code

    def _strays(self, sentence: str) -> bool:
        if self.figures:
            return bool(strays(sentence, *self._known))
        about_them = self.manner.unasked or self.manner.personal
        return about_them and bool(strange_values(sentence, self._known, self.manner.language))

    def _parrots(self, sentence: str) -> bool:
        asked_back = self.manner.unasked and sentence.rstrip().endswith(("?", "？"))
        reacts = self.manner.kind in ("tell", "keep")
        return (reacts or asked_back) and echoes(sentence, self.said)

    def _spoken_right(self, sentence: str) -> str | None:
        """The sentence in the right person; None where it cannot be put right."""
        language = self.manner.language
        if self.manner.kind == "do":  # what somebody has written may well say "I"
            return sentence
        if any(one in sentence.casefold() for one in language.third):
            return None
        answers = self.manner.unasked and not self.manner.fluent and has_mine(sentence, language)
        if not answers and not any(speaks_as(sentence, one, language) for one in self._known):
            return sentence
        other = turned(sentence, language)
        return None if has_mine(other, language) else other


def grounded(reply: str, question: str, told: Sequence[str]) -> bool:
    """Whether a reply has something of what was told that the question did not have: without that
    it cannot have answered from it."""
    asked, known = _words(question), _words(" ".join(told))
    return bool((_words(reply) & known) - asked)


def _words(text: str) -> set[str]:
    """Words that carry something: longer than three letters, numbers, and the characters of a
    script that writes words with them."""
    close = re.findall(f"[{HAN}{KATAKANA}]", text)
    return {one.casefold() for one in re.findall(r"[^\W\d_]{4,}|\d+", text)} | set(close)
