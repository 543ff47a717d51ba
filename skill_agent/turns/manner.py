"""How a message is to be answered: its language, its kind, and how much may be left to the model.

A large model is told nothing of this and reads the message itself. What a small one does badly
(confirm what was kept, admit that something was never told) is said by code, in the language of
the person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.client_context import typed
from skill_agent.text.beside import Parts, parted
from skill_agent.text.kinds import Kind, KindName, kind_of
from skill_agent.text.language import ENGLISH, Language, english, language, language_of
from skill_agent.values import Message, ModelProfile

SURE_UNASKED, PERSONAL = 0.7, 0.35
"""Probability from which a question counts as one that only the person could have answered, and
from which it may be one."""

UNDECIDED, MAY_TELL = 0.5, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one message is to be answered."""

    kind: KindName
    code: str
    """ISO 639-1 code of the message's language."""
    language: Language
    """What code says; English where there is nothing in the message's own language."""
    small: bool
    """The model is a small one, watched and helped."""
    fluent: bool = True
    """It writes the language well."""
    personal: bool = False
    """It may well ask what only the person can have told."""
    words: str = ""
    """What is said or asked; of a text piped in alone its own words."""
    typed: str = ""
    """What the person typed; only this may ask to be remembered."""
    matter: str = ""
    """A file, a diff or a table that came with the words: the message is about that."""
    hint: str = ""
    """Asks the model for the language; empty where it would take it anyway."""

    @property
    def beside(self) -> bool:
        return bool(self.matter)

    @property
    def unasked(self) -> bool:
        """Whether a small model answers a question only memory can answer."""
        return self.small and self.kind == "ask_me"

    @property
    def reacts(self) -> bool:
        """Whether a small model only reacts to something told, which nothing recalled helps."""
        return self.small and self.kind in ("tell", "keep", "chat")

    @property
    def remembers(self) -> bool:
        """Whether what is recalled can help; a small model takes it for the matter itself."""
        return not self.reacts and not (self.small and self.beside)

    @property
    def plain(self) -> Language | None:
        """The language in which recalled lines are introduced; None keeps their labels."""
        return self.language if self.small else None

    def opening(self, text: str) -> str:
        """A first sentence for the answer to something told; another one for another text."""
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=2).digest()
        return self.language.openings[int.from_bytes(digest) % len(self.language.openings)]


def manner_of(
    message: Message, earlier: Sequence[Message], dna: AgentDNA, profile: ModelProfile
) -> Manner:
    """Blocking: the first call of a process loads two small models, a third of a second."""
    said, before = _said(message), _fallback(dna)
    if last := next((one for one in reversed(earlier) if one.role == "user"), None):
        before = language_of(typed(last), otherwise=before)
    code = language_of(said.words, otherwise=before)
    known, small, alone = language(code), profile.small, not said.beside
    kind = kind_of(said.words)
    return Manner(
        kind=_kind(kind, alone=alone),
        personal=small and alone and kind.chances["ask_me"] >= PERSONAL,
        code=code,
        language=known or english(),
        small=small,
        words=said.words,
        typed=said.words if message.content.strip() else "",
        matter=said.beside,
        fluent=not profile.languages or code in profile.languages,
        hint=f"({known.answer})" if small and known and (code, before) != (ENGLISH,) * 2 else "",
    )


def _said(message: Message) -> Parts:
    """The words, and all that came with them."""
    sent = message.client_context
    texts = "\n\n".join(one.text for one in sent.attachments) if sent else ""
    if not message.content.strip():
        return parted(texts)
    said = parted(message.content)
    return Parts(said.words, "\n\n".join(filter(None, (said.beside, texts))))


def _kind(kind: Kind, *, alone: bool) -> KindName:
    """What came with a file or a table wants something done with it."""
    if not alone:
        return "do" if kind.name in ("tell", "chat", "ask_me") else kind.name
    if kind.probability < UNDECIDED and kind.chances["tell"] >= MAY_TELL:
        return "tell"  # of all mistakes this one is noticed least
    return "ask" if kind.name == "ask_me" and kind.probability < SURE_UNASKED else kind.name


def _fallback(dna: AgentDNA) -> str:
    wanted = dna.personality.language
    return ENGLISH if wanted == "auto" else wanted.partition("-")[0]
