"""Text of others on its way into a prompt: what a chat template, or we ourselves, would take for
structure is broken in it.

A bracket gives way to another of its shape, which no tokenizer and no template knows: `<` becomes
`‹`, `[` becomes `⁅`. That is readable, a person who is given it back sees what was done, and no
normalisation of a tokenizer undoes it, as it would with a blank or an invisible character. Text
without such tokens stays as it is, and nothing is broken twice.

Two layers use it. Where text of others is put beside ours (attachments, results of tools, memories,
summaries, descriptions) it is `tamed`, so that it neither ends nor opens a block of ours; and each
model lets nothing in but `tokenless` text, which leaves our own blocks alone.
"""

import re
import tomllib
from functools import cache
from pathlib import Path
from unicodedata import normalize

from .shaping import one_line

TOKENS = Path(__file__).parents[1] / "bundled" / "control_tokens.toml"

_FORMS = (
    r"<\|[^\s<>|]{1,64}\|?>",  # <|im_start|>, <|turn>
    r"<[\w/:]{1,64}\|>",  # <turn|>
    r"</?｜",  # <｜User｜>, <｜DSML｜invoke
    r"\[\|[^\s\[\]|]{1,64}\|\]",  # [|endofturn|]
)
_BRACKETS = str.maketrans("<[]", "‹⁅⁆")

_BLOCKS = ("recalled", "computed", "summary", "skills", "events")
SHIFTY = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
"""Characters that are not seen, as a class of a pattern holds them."""
_OPENS = r"(?:[<＜﹤〈〈⟨]|&lt;?|&#0*60;?|&#x0*3c;?|\\u003c|\\x3c|%3c)"
_TWINS = {
    "a": "аαɑ", "c": "сϲ", "d": "ԁ", "e": "еєε", "i": "іιı", "k": "кκ", "l": "ӏ|1Iі", "m": "м",
    "n": "пո", "o": "оο0", "p": "рρ", "r": "г", "s": "ѕ", "t": "тτ", "u": "υս", "v": "ѵν",
    "y": "уγ",
}  # fmt: skip
"""Letters of other scripts that look like those in the names of our blocks."""
_STYLED = ((0xFF21, 0xFF5A), (0x24B6, 0x24E9), (0x1D400, 0x1D6A3))
"""Letters that are the plain ones in another style: full-width, encircled, mathematical."""
_LONGEST_NAME = 200
_HEADINGS = (
    rf"[\[［](?=[^\[\]［］\n]{{0,{_LONGEST_NAME}}}data,\s*not words of the user)",
    r"[\[［](?=\s*saved now\s*[\]］])",
)


def tamed(text: str) -> str:
    """Text that neither a chat template nor a reader of our blocks takes for anything else."""
    return tokenless(_blocks().sub(_in_other_shape, text))


def tamed_line(text: str, limit: int = 0) -> str:
    """The same on one line, cut at `limit` characters where given."""
    return tamed(one_line(text, limit))


def tokenless(text: str) -> str:
    """Text without a control token of any common chat template, and without halves of surrogate
    pairs, which no model can be sent."""
    sound = text.encode("utf-8", "replace").decode("utf-8")
    return _tokens().sub(lambda found: _bracket(found[0]), sound)


def control_tokens(text: str) -> list[str]:
    """Those that stand in a text."""
    return [found[0] for found in _tokens().finditer(text)]


def _bracket(token: str) -> str:
    """The token with its first bracket in another shape."""
    at = re.search(r"[<\[\]]", token)
    return (
        token
        if at is None
        else token[: at.start()] + at[0].translate(_BRACKETS) + token[at.end() :]
    )


def _in_other_shape(found: re.Match[str]) -> str:
    return "⁅" if found[0][0] in "[［" else "‹"


@cache
def _tokens() -> "re.Pattern[str]":
    families = tomllib.loads(TOKENS.read_text("utf-8"))["family"]
    known = {token for family in families for token in family["tokens"]}
    return re.compile("|".join([*_FORMS, *map(re.escape, sorted(known))]))


@cache
def _blocks() -> "re.Pattern[str]":
    """Finds the bracket before anything that looks like the beginning or end of a block of ours.

    `List<Summary>` is code, and so is `Promise<Result>`; a frame of a result has a mark behind its
    name."""
    slack = rf"[\s{SHIFTY}]*"
    ends = rf"(?=[{SHIFTY}]*(?:[^\w{SHIFTY}]|\Z))"
    names = "|".join(_lookalike(name) for name in _BLOCKS)
    framed = rf"{_lookalike('result')}[\s{SHIFTY}]+[0-9a-f]{{4}}"
    slash = r"(?:[/∕⁄／\\]|&#0*47;?|&#x0*2f;?|%2f)"
    closing = rf"{_OPENS}(?={slack}{slash}{slack}(?:(?:{names}){ends}|{framed}))"
    opening = rf"(?<!\w){_OPENS}(?={slack}(?:(?:{names}){ends}|{framed}))"
    glued = rf"{_OPENS}(?=(?-i:{'|'.join(_BLOCKS)})\b)"
    return re.compile("|".join([closing, opening, glued, *_HEADINGS]), re.IGNORECASE)


def _lookalike(name: str) -> str:
    """A pattern of a name, in whatever letters, with whatever unseen between them."""
    styled = _styled()
    letters = (f"[{one}{re.escape(styled.get(one, '') + _TWINS.get(one, ''))}]" for one in name)
    return f"[{SHIFTY}]*".join(letters)


@cache
def _styled() -> dict[str, str]:
    """By plain letter, the same one in other styles."""
    found: dict[str, str] = {}
    for first, last in _STYLED:
        for code in range(first, last + 1):
            plain = normalize("NFKC", chr(code)).casefold()
            found[plain] = found.get(plain, "") + chr(code)
    return found
