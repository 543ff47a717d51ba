"""Credentials that their own shape gives away: prefixes, keys between armour lines, URLs, headers.

Each pattern begins with a literal, so that the search runs at the speed of a plain find; what has
to stand before the literal is looked at behind it, for that would cost the speed. None scans
further than its own match, so that nothing in a text makes it slow.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from .credential import Secret, compiled, credential_data

OTHER_KINDS = ("password", "token", "private key", "AWS secret access key")
"""Kinds that are found here and are named nowhere in the data."""
_DENSE = 16
"""Characters without a hyphen that words hardly reach."""
_BEFORE = 100
_RUNS = re.compile(r"\S{14,}")
"""What has no blanks in it and is long enough to be a credential: little of most texts."""
_BEGIN = re.compile(r"-----BEGIN (?<!\w-----BEGIN )([A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10})-----")
_BODY = re.compile(r"[A-Za-z0-9+/=\s\\:,]*")
_PUTTY = re.compile(r"PuTTY-User-Key-File-\d[^\n]*\n(?:[^\n]{0,200}\n){0,200}?Private-MAC:[^\n]*")
_IN_URL = re.compile(r"://(?P<user>[^\s/:@\"'<>`|]{0,100}):(?P<password>[^\s/\"'<>`|]{1,300})@")
_ONLY_USER = re.compile(r"://(?P<password>[A-Za-z0-9_-]{20,200})@")
_SCHEME = re.compile(
    r"[Bb](?<![A-Za-z][Bb])(?:(?i:asic)|(?i:earer))[ \t]{1,4}(?P<value>[\w.~+/=-]{8,4000})"
)
_CURL_USER = re.compile(
    r"curl [^\n]{0,200}?(?:-u|--user)[ =]{0,2}[\"']?[\w.@-]{1,60}:(?P<v>[^\s\"']+)"
)
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")
_NEAR_AWS = 160
_NO_PASSWORDS = ("password", "passwd", "pass", "pw", "pwd", "port")
"""What documentation writes in place of one."""
_PLACE_OF_ONE = re.compile(r"[<>{}$*]|\.\.\.|…|x{6,}|^\[", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A pattern of one kind of credential."""

    kind: str
    near: str
    source: str
    before: re.Pattern[str] | None = None
    """What of the credential stands before the match."""
    dense: bool = False
    skip: int = 0
    """So many characters of the match are its name."""

    @property
    def pattern(self) -> re.Pattern[str]:
        return compiled(self.source)


def shaped_secrets(text: str) -> Iterator[Secret]:
    """Credentials known by their shape; they may overlap."""
    long = " ".join(_RUNS.findall(text))
    for shape in _shapes() if long else ():
        if shape.near in long:
            for match in shape.pattern.finditer(text):
                if found := _of(shape, text, match):
                    yield found
    if "-----BEGIN " in text or "PuTTY-User" in text:
        yield from _private_keys(text)
    if "://" in text:
        yield from _in_urls(text)
    yield from _in_headers(text)
    yield from _aws_secrets(text)


@cache
def _shapes() -> tuple[_Shape, ...]:
    data = credential_data()
    tokens = [
        _Shape(one["kind"], prefix, _prefixed(prefix, one, data), dense=one.get("dense", False))
        for one in data["token"]
        for written in one["prefixes"]
        for prefix in dict.fromkeys((written, written[0].upper() + written[1:]))  # as phones do
    ]
    shapes = [
        _Shape(
            one["kind"],
            one["near"],
            one["pattern"],
            before=re.compile(one["before"]) if "before" in one else None,
            skip=one.get("skip", 0),
        )
        for one in data["shape"]
    ]
    return (*tokens, *shapes)


def _prefixed(prefix: str, one: dict[str, str], data: dict[str, dict[str, str]]) -> str:
    literal = re.escape(prefix)
    letters = data["alphabets"].get(one["alphabet"], one["alphabet"])
    most = one.get("most", "")
    start = "" if one.get("inside") else rf"(?<![A-Za-z0-9]{literal})"
    end = rf"(?![{letters}])" if most else ""
    return rf"{literal}{start}[{letters}]{{{one['least']},{most}}}{end}"


def _of(shape: _Shape, text: str, match: re.Match[str]) -> Secret | None:
    start, end = match.span()
    if shape.before:
        ahead = shape.before.search(text[max(0, start - _BEFORE) : start])
        if ahead is None:
            return None
        start -= len(ahead[0])
    start += shape.skip
    while end > start and text[end - 1] in ".-":
        end -= 1
    if shape.dense and not _is_dense(text[start + len(shape.near) : end]):
        return None
    return Secret(kind=shape.kind, start=start, end=end, certain=True)


def _is_dense(tail: str) -> bool:
    """Whether what follows a short prefix is more than words joined by hyphens."""
    parts = re.split(r"[-_.]", tail)
    return max(map(len, parts)) >= _DENSE


def _private_keys(text: str) -> Iterator[Secret]:
    """From one armour line to the other; without the other, as far as it looks like a key."""
    close = 0
    for match in _BEGIN.finditer(text):
        if 0 <= close < match.end():
            close = text.find("-----END ", match.end())
        end = close if close >= 0 else -1
        if end >= 0:
            line = text.find("-----", end + 9)
            end = line + 5 if 0 <= line < end + 80 else end
        else:
            end = _BODY.match(text, match.end()).end()  # type: ignore[union-attr]
        yield Secret(kind="private key", start=match.start(), end=end, certain=True)
    for match in _PUTTY.finditer(text):
        yield Secret(kind="private key", start=match.start(), end=match.end(), certain=True)


def _in_urls(text: str) -> Iterator[Secret]:
    for pattern in (_IN_URL, _ONLY_USER):
        for match in pattern.finditer(text):
            start, end = match.span("password")
            word = match["password"]
            plain = word.casefold() in _NO_PASSWORDS
            bare = pattern is _ONLY_USER and not (re.search(r"\d", word) and word.isalnum())
            if not (plain or bare or _PLACE_OF_ONE.search(word)):
                yield Secret(kind="password", start=start, end=end, certain=True)


def _in_headers(text: str) -> Iterator[Secret]:
    for match in _SCHEME.finditer(text):
        start, end = match.span("value")
        basic, value = match[0][:5].casefold() == "basic", match["value"]
        if is_basic(value) if basic else len(value) >= 16 and _is_mixed(value):
            kind = "password" if basic else "token"
            yield Secret(kind=kind, start=start, end=end, certain=True)
    if "curl " in text:
        for match in _CURL_USER.finditer(text):
            if not _PLACE_OF_ONE.search(match["v"]):
                start, end = match.span("v")
                yield Secret(kind="password", start=start, end=end, certain=True)


def is_basic(value: str) -> bool:
    """Whether a text is what HTTP's basic scheme sends: user and password in base64."""
    try:
        plain = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
        return b":" in plain and plain.decode("utf-8").isprintable()
    except (binascii.Error, ValueError):
        return False


def _is_mixed(value: str) -> bool:
    return bool(re.search(r"\d", value) and re.search(r"[A-Za-z]", value))


def _aws_secrets(text: str) -> Iterator[Secret]:
    """The forty characters that stand near an access key's id."""
    for match in re.finditer(r"A(?:KIA|SIA)[A-Z0-9]{16}", text):
        for found in _AWS_SECRET.finditer(text, match.end(), match.end() + _NEAR_AWS):
            if _is_mixed(found[0]) and not re.fullmatch(r"[0-9a-f]+", found[0]):
                yield Secret(
                    kind="AWS secret access key", start=found.start(), end=found.end(), certain=True
                )
                break
