"""Credentials told by what they are called: `DB_PASSWORD=…`, "mon mot de passe est …".

A name alone is no secret: what follows it must be said to be its value, and must look like one.
How much it must look like one depends on how it is said: `password = …` in a file needs less than
a sentence in which somebody speaks of passwords.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from skill_agent.text.scripts import HAN, KANA

from .credential import Secret, compiled, credential_data
from .value_looks import Looks, looks_of

_REST = (  # DB_PASSWORD_2, apiKeyValue, passwords
    r"(?P<rest>(?:s|es|e|en|et|a|key|value|text|string|phrase|word|code|header|hex|\d{1,3})?"
    r"(?:[_.-][a-z0-9]{1,20}){0,4})"
)
_CLOSED = r"(?P<closed>(?:\\{0,3}[\"'`\])*}]){0,3})"
_WORD = r"(?>[^\s:=,;!?\"'`<>(){}\[\]]{1,40})(?<![.…])|\([^()\n]{1,40}\)"
_SEP = (
    r"\s{0,6}(?P<sep>=>|->|→|:=|={1,3}|[:：＝](?:[ \t]{0,4}[|>][+-]?(?=[ \t]{0,4}\n))?)"
    r"[ \t]{0,40}(?:\n[ \t]{0,40})?"
)
_TYPED = r"(?:[A-Za-z_][\w.\[\]|]{0,40}\s?=\s?(?=[\"']))?"
_SCHEME = r"(?P<scheme>(?:bearer|basic|token|digest|apikey|bot)[ \t]{1,4})?"
_VALUE = (  # only looked at, so that a name within what turns out to be none is found too
    r"(?=(?P<value>\\{1,3}\"[^\"\\\n]{1,300}\\{1,3}\"|[a-z]{0,2}\"(?:[^\"\\\n]|\\.){1,300}\"|'(?:[^'\\\n]|\\.){1,300}'|`[^`\n]{1,300}`"
    r"|[“„][^”“\n]{1,300}[”“]|«[^»\n]{1,300}»|「[^」\n]{1,300}」|[^\s\"'`<>]{1,300}))"
)
_REST_OF_VALUE = re.compile(r"[^\s\"'`<>]*")
_REST_OF_WORD = re.compile(r"\S*")
"""In a sentence nothing but a blank ends what was said."""
_FLAG = r"[ \t]{1,4}(?=\S)"
_LETTERS = re.compile(r"[^\W\d_]+")
_STOPS = re.compile(f"[{HAN}{KANA}가-힯、。「」！？，]")
_NEXT = re.compile(r"&(?=[\w-]{1,40}=)|\\n|,\w{1,20}=|;(?=[\w ]{1,40}[=:])")
"""Where in a query, a list or a command the next thing begins."""
_QUOTES = "\"'`“”„«»「」"
_TRAILING = f".,;:?)]}}>\\{_QUOTES}"
_BEFORE = 24
_SHORTEST = 3
_NO_PIN = 6
"""Fewer digits are a PIN or the code of a door, which people have remembered."""
_TRIES, _MOST_BETWEEN = 3, 6
_COMMANDED = re.compile(r"(?:^|\s)(?:--?[a-z-]{0,20}|login\s{1,4}\S{1,60}\s{1,4})$")
"""`--password x`, and the lines of a .netrc."""
_PHRASE = re.compile(r"(?:[a-z]{3,8}[ ,]{1,2}){11,23}[a-z]{3,8}")
_PASSPHRASE = re.compile(r"(?:[^\W\d_]{2,12}[ -]){2,11}[^\W\d_]{2,12}(?=[.;]?[ \t]*(?:\n|\Z))")
_TOKEN = re.compile(r"[A-Za-z0-9+/_=]{16,}")
_SAID_OF_IT = re.compile(r".*(?:ed|ing|able|ible|ig|ert|é|ée|ado|ada|ido|ida)", re.IGNORECASE)
"""How what is said of a password ends: "my password is leaked"."""


@dataclass(frozen=True, slots=True)
class _Name:
    """A word for a secret."""

    kind: str
    word: str
    source: str
    first: str
    """A literal part of the word, looked for before the pattern is."""
    any: bool
    long: bool
    phrase: bool
    plain: bool
    """Also an everyday word, which only a sign or "is" right after it makes a name."""

    @property
    def pattern(self) -> re.Pattern[str]:
        return compiled(self.source)


def named_secrets(text: str, known: Iterable[Secret]) -> Iterator[Secret]:
    """Values that stand beside a name; what is `known` is not looked at again."""
    there = {one.start for one in known}
    lower = _lowered(text)
    words = "\n".join(set(lower.split()))
    for name in _names():
        if name.first not in words:
            continue
        reached = 0
        for match in name.pattern.finditer(lower):
            if match.start("value") < reached:
                continue
            found = _told(name, text, lower, match)
            if found:
                reached = found.end
                if found.start not in there:
                    yield found


def _lowered(text: str) -> str:
    """In lower case and of the same length, whatever letters it has."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := one.lower()) == 1 else one for one in text)


@cache
def _names() -> tuple[_Name, ...]:
    data = credential_data()
    after = _after(0)
    return tuple(
        _Name(
            kind=one["kind"],
            word=word,
            source=_worded(word, whole=one.get("whole", False)) + after,
            first=max(_LETTERS.findall(word), key=len),
            any=one.get("any", False),
            long=one.get("long", False),
            phrase=one.get("phrase", False),
            plain=one.get("plain", False),
        )
        for one in data["name"]
        for word in dict.fromkeys(one["words"])
    )


def _worded(word: str, *, whole: bool) -> str:
    """A name as a pattern that begins with a literal."""
    first, *others = map(re.escape, word.split())
    start = rf"(?<![^\W_]{first})" if whole or (len(word) < 5 and word.isascii()) else ""
    end = r"(?![^\W_])" if whole else ""
    return first + start + "".join(rf"[ _-]?{one}" for one in others) + end


@cache
def _after(least: int) -> str:
    """What follows a name up to its value; `least` words lie between at least."""
    around = credential_data()["around"]
    copulas, close, adverbs = (
        "|".join(map(re.escape, sorted(around[part], key=len, reverse=True)))
        for part in ("copulas", "close", "adverbs")
    )
    spoken = (
        rf"\s{{1,3}}(?P<copula>{copulas})(?:[ \t]{{1,3}}(?:{adverbs})\b){{0,2}}"
        r"[ \t]{0,3}[:=]?\s{1,3}"
    )
    near = rf"(?P<close>{close})\s{{0,3}}"
    # `<password>x</password>`, `--password x`
    mid = rf"(?P<mid>(?:[ \t]{{1,3}}(?:{_WORD})){{{least},6}}?)"
    told = rf"(?P<tag>>)(?=[^<\s])|{near}|{mid}(?:{_SEP}|{spoken})|(?P<flag>{_FLAG})"
    return rf"{_REST}{_CLOSED}(?:{told}){_TYPED}{_SCHEME}{_VALUE}"


@cache
def _further(least: int) -> re.Pattern[str]:
    return re.compile(_after(least))


def _told(name: _Name, text: str, lower: str, match: re.Match[str]) -> Secret | None:
    """The value of a match; where "to" or "is" led to none, that of a later one."""
    if name.phrase:
        return _phrase(name, text, match)
    found, at = _value(name, text, match), match
    for _ in range(_TRIES):
        between = len((at["mid"] or "").split())
        if found or at["copula"] is None or between >= _MOST_BETWEEN:
            return found
        again = _further(between + 1).match(lower, match.start("rest"))
        if again is None or (again["copula"] is None and again["sep"] is None):
            return None
        found, at = _value(name, text, again), again
    return found


def _value(name: _Name, text: str, match: re.Match[str]) -> Secret | None:
    """The value of a match, if it is one."""
    if words := _passphrase(name, text, match):
        return Secret(kind=name.kind, start=words.start(), end=words.end(), certain=False)
    start, end, quoted = _bare(text, *match.span("value"))
    if end - start < _SHORTEST or text[start:end].casefold() in _no_values():
        return None
    if match["close"] and not (quoted or text[start].isascii()):
        return None  # 密码是什么: the sentence goes on
    if _is_about(name, text, match):
        return None
    looks = looks_of(text[start:end], after=text[end : end + 2])
    if not _credible(name, text, match, looks, quoted=quoted):
        return None
    further = _REST_OF_WORD if match["copula"] else _REST_OF_VALUE
    if not quoted and (rest := further.match(text, match.end("value"))):
        _, end, _ = _bare(text, start, rest.end())
    return Secret(kind=_kind(name, match, text[start:end]), start=start, end=end, certain=False)


def _phrase(name: _Name, text: str, match: re.Match[str]) -> Secret | None:
    start = match.start("value")
    start += len(text[start : start + 2]) - len(text[start : start + 2].lstrip(_QUOTES))
    words = _PHRASE.match(text, start)
    if words is None:
        return None
    return Secret(kind=name.kind, start=words.start(), end=words.end(), certain=False)


def _passphrase(name: _Name, text: str, match: re.Match[str]) -> re.Match[str] | None:
    """Words to the end of a line, after a name for such and a sign."""
    if "phrase" not in name.word or not match["sep"] or match["mid"]:
        return None
    return _PASSPHRASE.match(text, match.start("value"))


def _kind(name: _Name, match: re.Match[str], value: str) -> str:
    said = match[0][: match.start("value") - match.start()]
    if len(value) == 40 and ("secret" in name.word or "access" in name.word) and "acc" in said:
        return "AWS secret access key"
    return name.kind


@cache
def _no_values() -> frozenset[str]:
    return frozenset(credential_data()["values"]["placeholders"])


def _is_about(name: _Name, text: str, match: re.Match[str]) -> bool:
    """Whether it speaks of the secret and does not tell it."""
    around = credential_data()["around"]
    parts = re.split(r"[_.-]+", match["rest"])
    words = (match["mid"] or "").split()[:2]
    if any(one in around["about"] for one in (*parts, *words)):
        return True
    if not name.long:
        return False
    before = re.findall(r"[^\W_]+", text[max(0, match.start() - _BEFORE) : match.start()].lower())
    return bool(before) and before[-1] in around["not_secret"]


def _bare(text: str, start: int, end: int) -> tuple[int, int, bool]:
    """The value without its quotes, and without what ends the sentence."""
    while start < end and text[start] == "\\":
        start += 1
    while start < end and text[start] in "brfu" and text[start + 1 : start + 2] in ('"', "'"):
        start += 1
    if start == end:
        return start, end, False
    if text[start] in _QUOTES:
        end -= 1
        while end > start + 1 and text[end - 1] == "\\":
            end -= 1
        return start + 1, max(start + 1, end), True
    if text[start].isascii() and (stop := _STOPS.search(text, start, end)):
        end = stop.start()
    if stop := _NEXT.search(text, start, end):
        end = stop.start()
    while end > start and text[end - 1] in _TRAILING:
        end -= 1
    return start, end, False


def _credible(name: _Name, text: str, match: re.Match[str], looks: Looks, *, quoted: bool) -> bool:
    """Whether such a value, said so, is a secret."""
    if looks.stands_in:
        return False
    mid, flag = bool((match["mid"] or "").strip()), match["flag"] is not None
    if name.plain and mid:
        return False
    if name.long:
        return not flag and looks.made_by_machine and not looks.digest
    if flag:
        return _flagged(name, text, match, looks, quoted=quoted)
    spoken = mid or match["copula"] is not None
    if match["scheme"] and name.word in ("authorization", "token"):
        return len(looks.text) >= 8
    if name.any:
        return _is_password(match, looks, text, quoted=quoted, spoken=spoken, mid=mid)
    if spoken:
        return looks.made_by_machine or (looks.mixed and len(looks.text) >= 10 and not looks.words)
    coded = looks.code and not (quoted and looks.mixed)
    if len(looks.text) < 8 or looks.digits or coded or " " in looks.text:
        return False
    return not looks.words and (looks.mixed or _is_assigned(text, match, quoted=quoted))


def _flagged(name: _Name, text: str, match: re.Match[str], looks: Looks, *, quoted: bool) -> bool:
    """A value that follows with nothing between: after `--password`, or one that no word is."""
    if _COMMANDED.search(text[max(0, match.start() - 100) : match.start()]):
        return len(looks.text) >= 4 and not looks.code
    if name.plain or looks.words:
        return False
    if not name.any:
        return looks.made_by_machine and bool(_TOKEN.fullmatch(looks.text))
    kinds = 2 if quoted or not name.word.isascii() else 3
    return looks.mixed and looks.classes >= kinds and len(looks.text) >= 8


def _is_password(
    match: re.Match[str], looks: Looks, text: str, *, quoted: bool, spoken: bool, mid: bool
) -> bool:
    if looks.code and not (quoted or (spoken and looks.mixed)):
        return False
    if looks.digits:
        return len(looks.text) >= _NO_PIN and not mid and not match["rest"].startswith("s")
    if looks.odd:
        return not (looks.words and mid)
    if quoted:
        return not mid and len(looks.text) >= 4 and (not spoken or looks.text[-1] not in " .")
    if mid or match["tag"]:
        return bool(match["tag"]) and len(looks.text) >= 5
    # A word like any other: as a setting, or as the last word of what is said.
    if spoken and _SAID_OF_IT.fullmatch(looks.text):
        return False
    ends = not re.match(r"[ \t]*[\w(\[{]", text[match.end("value") : match.end("value") + 4])
    return (
        len(looks.text) >= 6
        and ends
        and (not looks.code or _is_assigned(text, match, quoted=False))
    )


def _is_assigned(text: str, match: re.Match[str], *, quoted: bool) -> bool:
    """Whether it is written as in a settings file or a URL, where any word may be the secret."""
    if match["sep"] is None or match["mid"]:
        return False
    if quoted:
        return True
    before = text[max(0, match.start() - 40) : match.start()]
    named = re.search(r"(?:^|[\n?&;]|export\s|-e\s)[\w.-]*$", before)
    tight = text[match.start("sep") : match.start("value")] in ("=", ":")
    return bool(named) and tight
