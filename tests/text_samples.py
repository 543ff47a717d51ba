"""Labelled texts with and without credentials, read from `data/credentials.txt`."""

import random
import re
import string
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "credentials.txt"
_LETTERS = {
    "a": string.ascii_letters + string.digits,
    "w": string.ascii_letters + string.digits + "-_",
    "h": "0123456789abcdef",
    "u": string.ascii_uppercase + string.digits,
    "b": string.ascii_letters + string.digits + "+/",
    "d": string.digits,
}
_FILLER = re.compile(r"\{([awhubd])(\d+)\}")


@dataclass(frozen=True)
class Sample:
    """A text, and where its credentials stand."""

    text: str
    secrets: tuple[str, ...]


def samples(part: str) -> list[Sample]:
    """The texts of one part, always the same."""
    chance = random.Random(part)
    section = _FILE.read_text(encoding="utf-8").split(f"[{part}]\n")[1].split("\n\n[")[0]
    return [_sample(line, chance) for line in section.splitlines() if line.strip()]


def _sample(line: str, chance: random.Random) -> Sample:
    def filled(match: re.Match[str]) -> str:
        letters, length = _LETTERS[match[1]], int(match[2])
        made = "".join(chance.choices(letters, k=length))
        return made if made[-1].isalnum() else f"{made[:-1]}7"

    whole = _FILLER.sub(filled, line)
    return Sample(re.sub("[⟦⟧]", "", whole), tuple(re.findall("⟦(.*?)⟧", whole)))
