"""What a word that stands where a secret would looks like: made by a machine, a word, code, a
placeholder."""

import math
import re
from collections import Counter
from dataclasses import dataclass

_PLACEHOLDER = re.compile(
    r"""
    [*•.…_x?#-]{2,} | \W+ | x+                                  # ****, xxx, ...
    | <[^>]*>? | \$?\{.* | %\(?\w+\)?[s%]? | \$\(.* | \$[A-Za-z_]\w*    # <token>, ${TOKEN}, $TOKEN
    | .*\{[A-Za-z_][^{}]*\}.* | @\w+ | !\w+ | &\w+              # token-{name}, what YAML refers to
    | \[(?:redacted|[^\]]*…|[\w\s-]+\]).*                       # what was taken out already
    | (?:your|my|our|the|some|a|an|insert|enter|replace|put|add|dein|ihr|votre|mein)[_\s-].*
    | .*(?:_here|-here|_goes_|placeholder|changeme|change[_-]me|redacted|your[_-]).*
    | .*(?<![a-z0-9])example.*
    | process\.env.* | os\.environ.* | env[.(\[].* | secrets\..*
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CODE = re.compile(
    r"""
    [A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)+(?:[(\[].*)?       # settings.password, a.get()
    | [A-Za-z_$][\w$.]*[(\[].*                                          # call(…
    | _?[a-z]+(?:_[a-z]+)+ | [a-z]+(?:[A-Z][a-z]+)+                     # snake_case, camelCase
    | (?:[A-Z]+[a-z]+){2,} | (?:[A-Z]+[a-z]+\d?){3,}                    # OAuthFlow, OAuth2CodeFlow
    | [(\[{].* | &.* | \w+\|.* | \w+\?
    """,
    re.VERBOSE | re.DOTALL,
)
_ELSEWHERE = re.compile(
    r"""
    (?:[A-Za-z]:\\|~?/|\./|\.\./)[\w.~/\\ -]* | [a-z][a-z0-9+.-]*://.* | [\w.-]+\.[a-z]{2,5}
    | v?\d+(?:\.\d+)+[\w-]* | \d[\d.,/:-]*(?:[a-zA-Z%]{0,3}) | \#[0-9a-fA-F]{3,8}
    | \d+-?(?:bit|bits|char|chars|day|days|min|hours?|tokens?|characters|zeichen) | \d{4}-\d{2}.*
    """,
    re.VERBOSE | re.DOTALL,
)
_WORDS = re.compile(
    r"[A-Za-z]{1,14}(?:[-'’/+&][A-Za-z]{1,14}){1,}|(?:[a-z]+-){1,6}[a-z0-9.]{1,5}"
    r"|[A-Z]{2,5}-?\d{1,2}[a-z]{0,2}(?:-[a-z]+)*|\w+@[\w.-]+\.\w+"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"(?:sha\d+[:-])?[0-9a-fA-F]{32,128}")
_MADE = re.compile(r"[A-Za-z0-9+/_=.~%-]{16,}")
_BITS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What there is to be said of a value."""

    text: str
    stands_in: bool
    """It stands for a secret, or for something else that is none."""
    digits: bool
    code: bool
    words: bool
    """Words joined, a model's or a region's name, an address."""
    digest: bool
    classes: int
    """Of small letters, capitals, digits and signs so many kinds occur."""
    mixed: bool
    """Letters and digits."""
    made_by_machine: bool

    @property
    def odd(self) -> bool:
        """No word: digits or signs among the letters."""
        signs = re.search(r"[^\w\s-]", self.text) and re.search(r"\w", self.text)
        return self.mixed or bool(signs)


def looks_of(value: str, *, after: str = "") -> Looks:
    """`after` is what follows it in the text."""
    mixed = bool(re.search(r"\d", value) and re.search(r"[^\W\d_]", value))
    elsewhere = bool(_ELSEWHERE.fullmatch(value)) and not value.isdigit()
    digest = bool(_UUID.fullmatch(value) or _HEX.fullmatch(value))
    return Looks(
        text=value,
        stands_in=elsewhere or bool(_PLACEHOLDER.fullmatch(value)),
        digits=value.isdigit(),
        code=bool(_CODE.fullmatch(value)) or after[:1] == "(",
        words=bool(_WORDS.fullmatch(value)),
        digest=digest,
        classes=sum(bool(re.search(one, value)) for one in ("[a-z]", "[A-Z]", r"\d", r"[^\w\s]")),
        mixed=mixed,
        made_by_machine=mixed and bool(_MADE.fullmatch(value)) and _bits(value) >= _BITS,
    )


def _bits(value: str) -> float:
    """Entropy of a character, in bits."""
    counts = Counter(value).values()
    return -sum(one / len(value) * math.log2(one / len(value)) for one in counts)
