"""What a reply gives away, looked at on its way to the person.

A credential the person did not write themself is left out, before it is shown or stored. Where
text of others stands in the prompt, which may have asked for it, two more things are told: that the
reply repeats the agent's own instructions, and that it says what is known of another person. On
other turns nothing is said of either: the instructions are the person's own.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from skill_agent.ports import ChatMessage
from skill_agent.text.secrets.credentials import Secret, secrets_in

REPEATED = 12
"""So many words in a row of the instructions are no chance."""
OF_ANOTHER = 5
"""So many words in a row of what is known of another person tell it on."""
_CONTEXT = 200
"""Characters already shown that tell what the next ones are."""
_LONGEST = 4_000
"""Characters that wait at most; no credential is longer."""
_WORD = re.compile(r"[!-~]*\Z")
_BEGUN = re.compile(r"(?=.*[\d_:/@=-]|.*[A-Za-z].*[A-Z])[!-~]{4,}\Z")
"""A word that may be the beginning of a credential."""
_KEY = re.compile(r"-----BEGIN (?!.*-----END).*\Z", re.DOTALL)
_PROBE = "A1b2C3d4E5f6"
"""Would be a credential wherever one is expected by what stands before it."""


@dataclass(slots=True)
class Outgoing:
    """Watches the replies of one turn."""

    own: str = ""
    """What the person wrote in what the model reads; their credentials may be said to them."""
    read: str = ""
    """The whole of that."""
    left_out: list[str] = field(default_factory=list)
    """Kinds of the credentials that were left out."""
    _shown: str = ""
    _pending: str = ""

    def reading(self, messages: Sequence[ChatMessage]) -> None:
        """The model is asked with these."""
        self.read = "\n".join(one.content for one in messages)

    def feed(self, piece: str) -> str:
        """The next piece in, what may be shown out; the beginning of what may become a credential
        waits for its end."""
        self._pending += piece
        return self._passed(self._certain())

    def rest(self) -> str:
        """What has waited, at the end of a reply."""
        return self._passed(len(self._pending))

    @property
    def told(self) -> str:
        """What the person is to be told of what was left out."""
        if not self.left_out:
            return ""
        kinds = ", ".join(dict.fromkeys(self.left_out))
        return f"left out of the reply, for you did not write it yourself: {kinds}"

    def _certain(self) -> int:
        """How much of what waits cannot become a part of a credential any more."""
        whole, shown = self._shown + self._pending, len(self._shown)
        if len(self._pending) > _LONGEST:
            return len(self._pending)
        if key := _KEY.search(whole):
            return max(0, key.start() - shown)
        word = _WORD.search(whole)
        if word is None or not word[0] or not _may_begin(whole[: word.start()], word[0]):
            return len(self._pending)
        return max(0, word.start() - shown)

    def _passed(self, size: int) -> str:
        """So much of what waits, without credentials."""
        whole, first = self._shown + self._pending, len(self._shown)
        end = first + size
        parts, at = list[str](), first
        for one in secrets_in(whole) if size else ():
            if one.end <= first or one.start >= end or self._may_be_said(one, whole):
                continue
            self.left_out.append(one.kind)
            parts += [whole[at : max(at, one.start)], f"[redacted: {one.kind}]"]
            at = min(one.end, end)
        self._shown, self._pending = whole[:end][-_CONTEXT:], whole[end:]
        return "".join([*parts, whole[at:end]])

    def _may_be_said(self, secret: Secret, text: str) -> bool:
        """The person's own, or something the model made up that only its name makes one."""
        value = text[secret.start : secret.end]
        return value in self.own or not (secret.certain or value in self.read)


def _may_begin(before: str, word: str) -> bool:
    """Whether a word that may go on could become a credential."""
    before = before[-_CONTEXT:]
    expected = secrets_in(before + _PROBE)
    return bool(_BEGUN.match(word)) or any(one.end > len(before) for one in expected)


def repeats(reply: str, instructions: str, own: str) -> bool:
    """Whether a reply says the agent's instructions on, which the person's words did not hold."""
    said = _runs(_words(reply), REPEATED) & _runs(_words(instructions), REPEATED)
    return bool(said - _runs(_words(own), REPEATED))


def tells_of_another(reply: str, known: Iterable[str], own: str) -> bool:
    """Whether a reply says what is known of another person; `own` is what this one said."""
    said, before = _words(reply), _words(own)
    for one in known:
        words = _words(re.sub(r"^The user(?:'s)? ", "", one))
        size = min(OF_ANOTHER, len(words))
        if size >= 3 and (_runs(words, size) & _runs(said, size)) - _runs(before, size):
            return True
    return False


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _runs(words: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}
