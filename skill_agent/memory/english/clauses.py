"""What a person states in a message, clause by clause; what they ask, quote or imagine is left out.

What a clause means is decided in `fact_rules`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A statement with its subject, ready for the rules."""

    text: str
    quote: str
    """The whole sentence, as it stands in the message."""
    asked: bool = False
    """The person asked for it to be remembered."""
    changes: bool = False
    """It corrects or replaces something."""
    corrects: bool = False
    """It begins with words that take back what was said before."""
    private: bool = False
    following: tuple[str, ...] = ()
    """The sentences after it, for what goes on over several."""


LONGEST = 20_000
"""Characters of a message that are read; longer ones hold pasted text."""
_FENCE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)", re.DOTALL)
_QUOTED_LINE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_QUOTED = re.compile(r"[\"“](?=[^\"”\n]*\s[^\"”\n]*\s)[^\"”\n]{8,}[\"”]")
_PAYLOAD = re.compile(
    r"(?:(?<=^)|(?<=[.!?\n])\s*)(?:(?:please|can you|could you|would you|now|and)\s+)*"
    r"(?:translate|proofread|rephrase|rewrite|reword|paraphrase|summari[sz]e|correct|edit|improve|"
    r"shorten|polish|transcribe|review|analy[sz]e|classify|grade|spell-?check)\b[^:\n]{0,80}:.*",
    re.IGNORECASE | re.DOTALL,
)
"""A text given to be worked on: whatever it says is not said by the person."""
_PRIVATE = re.compile(
    r"[,;:\s]*\b(?:(?:just |strictly |this is )?between (?:us|you and me)(?: two)?|"
    r"keep (?:it|this) (?:private|to yourself|between us)|(?:please )?don[’']?t tell anyone|"
    r"just for you|confidential(?:ly)?|privately)\b[,;:]?\s*",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"^(?:(?:please|and|also|oh|hey|ok(?:ay)?|so|btw|by the way|could you|can you)[,\s]+)*"
    r"(?:remember|don[’']?t (?:ever )?forget|never forget|keep in mind|make a note|note|"
    r"bear in mind|for the record)(?:\s+that\b|\s*[:,]|\s+(?=(?:my|i|we|our|the)\b))\s*",
    re.IGNORECASE,
)
_OPENER = re.compile(
    r"^(?:(?:oh and|oh also|and also|ps|p\.s\.?|ya|yea|yup|morning|evening|hiya|heya|k|kk|nah|meh|"
    r"haha|lol|hi|hello|hey|thanks|thank you|ok(?:ay)?|yes|yeah|yep|sure|right|well|so|oh|ah|and|"
    r"but|kia ora|meanwhile|"
    r"also|anyway|great|cool|nice|perfect|btw|by the way|fyi|in fact|basically|honestly|"
    r"to be honest|for context|as you know|just so you know|one more thing|you know|hmm|fun fact|"
    r"good (?:morning|evening|afternoon)|unfortunately|luckily|fortunately|sadly|turns out|"
    r"as for me|personally|plus|besides|speaking of which|quick update|update|news|"
    r"good news|bad news|big news|heads[- ]up)(?:\s+(?:there|all|everyone|again))?"
    r"(?:[,.:!–—-]+\s*|\s+(?=i\b|i[’']|my\b|we\b|we[’']|our\b|the\b|please\b|(?-i:[A-Z])\w+,)))+",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"^(?:please )?(?:tell|remind) (?:folks?|people|everyone|everybody|them|him|her|the \w+) "
    r"(?:that )?(?=(?:i|we|my|our|the)(?:\b|[’']))",
    re.IGNORECASE,
)
"""What others are to be told is stated all the same."""
_CORRECTION = re.compile(
    r"^(?:(?:actually|no wait|wait|no|nope|sorry|oops|correction|scratch that|my mistake|"
    r"i was wrong|i misspoke|i made a mistake|on second thoughts?|i(?:[’']ve)? changed my mind|"
    r"hold on|make that(?= \S+(?: \S+)?$)|make it(?= \S+(?: \S+)?$)|or rather|"
    r"i mean(?=,)|i meant(?: to say)?|that was wrong|my bad)[,.:;!–—-]*\s+)+"
    r"(?:i meant(?: to say)?[,:]?\s+)?",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"\b(?:no longer|not any ?more|anymore|any longer|instead(?: of)?|switched|now|"
    r"moved (?:from|to)|used to|changed|stopped|gave up|quit|pushed back|postponed|rescheduled|"
    r"brought forward|as of today|from now on|i meant|not .+ but)\b",
    re.IGNORECASE,
)
_IMAGINED = re.compile(
    r"(?:^|[,;] )(?:but |and |so |then )?if (?:i|we|my|you) |"
    r"\bif (?:i|we) (?:were|had|could)\b|\b(?:if only\b|suppose\b|supposing\b|"
    r"imagine\b|pretend\b|let[’']?s say\b|"
    r"what if\b|i wish\b|hypothetical|act as\b|role ?play|as if\b|say i |"
    r"just kidding|joking|in my (?:dream|novel|story|book)|my character|"
    r"for example\b|e\.g\.|i would have|would i\b)",
    re.IGNORECASE,
)
_DOUBTED = re.compile(r"\b(?:maybe|perhaps|might|not sure|whether)\b", re.IGNORECASE)
"""Makes its clause no statement, but not the rest of the sentence."""
_REPORTED = re.compile(
    r"\b(?:said|says|saying|told me|tells me|thinks|claims?|claimed|wrote|asked)\b[^.]{0,20}?"
    r"\b(?:that )?(?:i|we)\b|\bignore (?:all|the|any|previous|everything)\b|"
    r"\b(?:system prompt|your instructions|previous instructions)\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"^(?:please\s+|now\s+|then\s+|just\s+|could you\s+|can you\s+|would you\s+|will you\s+)*"
    r"(?:write|show|tell|help|explain|give|make|create|fix|translate|summari[sz]e|find|list|add|"
    r"remove|delete|change|convert|generate|draft|rewrite|refactor|check|look|suggest|recommend|"
    r"compare|run|print|compute|calculate|describe|review|search|send|set|what|why|how|who|when "
    r"(?:is|are|do|does|did|will)|where|which|is|are|do|does|did|can|could|would|should|will|"
    r"store|save|say|repeat|answer|read|try|plan|build|implement)\b",
    re.IGNORECASE,
)
_STANDING = re.compile(
    r"\b(?:from now on|going forward|in (?:the )?future|always|never|every time)\b", re.IGNORECASE
)
_END = re.compile(
    r"(?<=[.!?…])(?<!\bMr\.)(?<!\bDr\.)(?<!\bMs\.)(?<!\bSt\.)(?<!\bMrs\.)(?<!e\.g\.)(?<!i\.e\.)\s+"
)
_GREETING = re.compile(r"(?:hi|hello|hey)(?: there| all)?[!.,]*", re.IGNORECASE)
_SUBJECT = r"(?:i|i[’']m|i[’']ve|i[’']ll|my|we|we[’']re|we[’']ve|we[’']ll|our|let[’']s|the)"
_SPLIT = re.compile(
    rf";\s+|\s+[–—-]{{1,2}}\s+|\s*\((?=[^)]*\b(?:I|my)\b)|,?\s+(?:but|so|and|because|while|though|"
    rf"although|plus|whereas)\s+(?={_SUBJECT}\b)|,\s+(?=(?:i|i[’']m|i[’']ve|"
    rf"my(?! [\w-]+(?: \w+)?(?:,|$))|we)\s)|"
    rf":\s+(?={_SUBJECT}\b)",
    re.IGNORECASE,
)
_SAME_SUBJECT = re.compile(
    r"^(?P<who>i|we)\b[^,;]*?(?P<cut>,?\s+(?:and|but|then)\s+)(?P<verb>(?:(?:am|have|now|also|"
    r"always|never|"
    r"really|usually|absolutely)\s+)*(?:hate|love|like|prefer|enjoy|dislike|can[’']?t stand|live|"
    r"work|avoid|moved|started|never|always|use|own|speak|play|drink|eat)\b)",
    re.IGNORECASE,
)


def stated(text: str) -> Iterator[Clause]:
    """The clauses of a message in which its writer states something."""
    text = re.sub(r"[^\S\n]+", " ", text[:LONGEST])
    text = _PAYLOAD.sub("", text)
    for pattern in (_FENCE, _QUOTED_LINE, _QUOTED):
        text = pattern.sub(" ", text)
    private = bool(_PRIVATE.search(text))
    sentences = list(_sentences(text))
    for number, sentence in enumerate(sentences):
        following = tuple(sentences[number + 1 : number + 5])
        for clause in _of_sentence(sentence):
            yield replace(clause, private=private, following=following)


def _sentences(text: str) -> Iterator[str]:
    for line in re.split(r"\n+", text):
        line = re.sub(r"^\s*(?:[-*•]|\d+[.)])\s+", "", line).strip()
        greeted = ""
        for piece in _END.split(line):
            if _GREETING.fullmatch(piece.strip()):  # "Hi! I'm Ada" says a name, "I'm Ada" may not
                greeted = f"{piece.strip()} "
            elif re.search(r"\w", piece):
                yield greeted + piece.strip()
                greeted = ""


def _of_sentence(sentence: str) -> Iterator[Clause]:
    body = " ".join(_PRIVATE.sub(" ", sentence).replace("`", "").split())
    asked = _ASKED.match(body)
    body = body[asked.end() :] if asked else _OPENER.sub("", body)
    body = _TOLD.sub("", body)
    corrected = _CORRECTION.match(body)
    if corrected:
        body = body[corrected.end() :]
        body = _OPENER.sub("", body)
    if named := _named_kin(sentence):
        yield Clause(text=named, quote=sentence)
    if body.rstrip("\"') ").endswith("?"):
        body = _before_the_question(body)
    if not _is_statement(body, asked=bool(asked)):
        return
    for text in _split(body):
        if _DOUBTED.search(text):
            continue
        yield Clause(
            text=text,
            quote=sentence,
            asked=bool(asked),
            corrects=bool(corrected),
            changes=bool(corrected) or bool(_CHANGED.search(text)),
        )


_KIN_NAMED = re.compile(
    r"\b(?i:my)\s(?P<who>(?:(?:older|younger|little|big|best) )?(?:wife|husband|partner|girlfriend|"
    r"boyfriend|son|daughter|sister|brother|friend|dog|cat|niece|nephew|cousin|boss|manager|"
    r"colleague|neighbou?r|flatmate|roommate))\s(?P<name>[A-Z][a-zé]+)\b"
)


def _named_kin(sentence: str) -> str:
    """What a question takes for known: "a gift for my daughter Mia?"."""
    if (
        not sentence.rstrip("\"') ").endswith("?")
        or _IMAGINED.search(sentence)
        or _REPORTED.search(sentence)
    ):
        return ""
    match = _KIN_NAMED.search(sentence)
    return f"my {match['who']} is called {match['name']}" if match else ""


_ASKS = re.compile(
    r"(?:,|;| -| –| —|\band|\bso)\s+(?:and |so |but )?(?:what|which|how|can|could|do|does|should|"
    r"is|are|"
    r"any|who|where|why|when|would|will|got|please)\b",
    re.IGNORECASE,
)


def _before_the_question(body: str) -> str:
    """ "I'm allergic to nuts, what can I cook?": what is stated before the asking begins."""
    asks = _ASKS.search(body)
    said = body[: asks.start()] if asks else ""
    states = re.match(r"(?:i|i[’']m|i[’']ve|my|we|we[’']re|our)\b", said, re.IGNORECASE)
    return said if states else ""


def _is_statement(body: str, *, asked: bool) -> bool:
    if not body or body.rstrip("\"') ").endswith("?") or len(body) > 600:
        return False
    if _IMAGINED.search(body) or _REPORTED.search(body):
        return False
    return asked or not _REQUEST.match(body) or bool(_STANDING.search(body))


def _split(body: str) -> Iterator[str]:
    """Clauses; "I love tea and hate coffee" gives the second one its subject."""
    body = re.sub(r"\b((?:^|, )[\w’']+(?: \w+)?) and (I|we)\b", "\\1 and\0\\2", body)
    for piece in (one.replace("\0", " ") for one in _SPLIT.split(body)):
        while piece and (shared := _SAME_SUBJECT.match(piece)):
            yield _tidy(piece[: shared.start("cut")])
            piece = f"{shared['who']} {piece[shared.start('verb') :]}"
        if piece and re.search(r"\w", piece):
            yield _tidy(piece)


def _tidy(text: str) -> str:
    text = re.sub(
        r"(?:,?\s+(?:by the way|btw|though|you know|lol|haha|please|as well|too|actually|"
        r"to be honest|tbh|of course|i think|i guess))+\s*[.!]*$",
        "",
        text.strip(" .,;:!\t)–—-"),
        flags=re.IGNORECASE,
    )
    text = text.strip(" .,;:!")
    if text.count(")") != text.count("("):
        text = re.sub(r"[()]", ",", text)
    text = re.sub(r"^(?:My|We|Our)\b", lambda match: match[0].lower(), text)
    return re.sub(r"^i\b", "I", text)
