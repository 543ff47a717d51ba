"""A stand-in until the classifier comes."""

from dataclasses import dataclass
from typing import Literal

KindName = Literal["tell", "ask_me", "ask", "do", "keep", "chat"]


@dataclass(frozen=True, slots=True)
class Kind:
    name: KindName
    probability: float
    runner_up: KindName = "ask"


def kind_of(text: str) -> Kind:
    t = text.strip().lower()
    if any(
        w in t for w in ("merk dir", "remember", "recuerda", "retiens", "запомни", "覚えて", "记住")
    ):
        return Kind("keep", 0.9)
    if t.rstrip(')”»"').endswith(("?", "？")):
        import re

        if re.search(r"\b(my|i|mein\w*|ich|mi|mis|mon|ma|mes|je|мой|моя|мою|я|меня)\b|私|我", t):
            return Kind("ask_me", 0.9)
        return Kind("ask", 0.9)
    if re_do(t):
        return Kind("do", 0.9)
    if len(t) < 25:
        return Kind("chat", 0.9)
    return Kind("tell", 0.9)


def re_do(t):
    import re

    return bool(re.match(r"(write|review|schreib|gib|escrib|écri|напиши|translate|list|give)", t))
