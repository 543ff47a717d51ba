"""Telling what is asked or ordered from what is said: people leave question marks away.

Rules of plain English for one sentence; what is small talk is `question`'s to say.
"""

import re

from skill_agent.values import IndexItem

from .question import is_small_talk

_POLITE = (
    r"(?:please |can you |could you |would you |will you |now |then |and |but |ok(?:ay)?,? |so |"
    r"hey,? |hi,? |hello,? |also |kindly |just )*"
)
_REQUEST = re.compile(
    rf"{_POLITE}(?:please )?(?:tell|show|list|give|explain|describe|summari[sz]e|translate|write|"
    r"draft|compose|create|generate|make|find|search|look up|calculate|compute|compare|convert|"
    r"rephrase|rewrite|remind|repeat|recommend|suggest|help|say|name|define|answer|sing|draw|check|"
    r"fix|debug|refactor|implement|solve|proofread|shorten|improve|edit|outline|brainstorm|"
    r"pretend|imagine)\b",
    re.IGNORECASE,
)
"""How a sentence begins that asks for something without a question mark."""
_SUBJECT = r"(?:I|we|you|he|she|it|they|there|one|somebody|someone|anybody|anyone)\b"
_DOES = (
    r"(?:is|are|am|was|were|do|does|did|can|could|shall|should|will|would|may|might|must|has|have|"
    r"had|isn['’]?t|aren['’]?t|don['’]?t|doesn['’]?t|didn['’]?t|can['’]?t|won['’]?t)\b"
)
_QUESTION = re.compile(
    # "until when is the shop open", "what's the code", "who do I call"
    rf"{_POLITE}(?:(?:at|by|from|in|on|since|until|till|for|to|of|with) )?"
    rf"(?:(?:when|where)(?:['’]?s\b| (?:{_DOES}|exactly\b|the hell\b))"
    r"|(?:what|who|how|why)['’]?s\b"
    # "which languages will it be in", "how much is it", but not "what I like is tea"
    rf"|(?:what|which|who|whom|whose|why|how) (?!{_SUBJECT}|ever\b))"
    # "have I paid", "does my dad have a car", "can a vegan eat there"
    rf"|{_POLITE}{_DOES} (?:{_SUBJECT}|(?:my|our|your|his|her|its|their|the|a|an|any|this|that|"
    r"these|those)\b|[A-Z])",
    re.IGNORECASE,
)
_LOOKED_UP = re.compile(
    r"(?:the |my |our )?(?:[^\W\d]+ ){0,2}(?:numbers?|names?|address|dates?|times?|password|price|"
    r"cost|size|code|birthday|hours)(?: (?:of|for|at|in)\b[^\d:=]*)?$",
    re.IGNORECASE,
)
"""Search words without a verb: "phone number of the laboratory"."""
_SAYS = re.compile(r"\b(?:is|are|was|were|has|have|had|will|changed|moved|now|no|not)\b", re.I)
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_FEW_WORDS = 4


def asks(sentence: str) -> bool:
    """Whether a sentence is a question or a request, with or without a mark saying so."""
    sentence = sentence.strip()
    if sentence.endswith("?") or _REQUEST.match(sentence):
        return True
    if sentence.endswith("!"):
        return False
    looked_up = _LOOKED_UP.match(sentence) and not _SAYS.search(sentence)
    return bool(looked_up or _QUESTION.match(sentence))


def tells_nothing(text: str) -> bool:
    """Whether a message is questions, requests and small talk with hardly a word beside them."""
    sentences = _SENTENCES.split(text.strip())
    told = [one for one in sentences if not (asks(one) or is_small_talk(one))]
    return len(told) < len(sentences) and len(" ".join(told).split()) < _FEW_WORDS


def only_asks(item: IndexItem) -> bool:
    """Whether an item is a person's question or request, word for word, with hardly a word beside
    it."""
    return item.kind == "turn" and item.speaker == "user" and tells_nothing(item.text)


def is_reply(item: IndexItem) -> bool:
    """Whether an item is what an agent once answered, word for word."""
    return item.kind == "turn" and item.speaker != "user"
