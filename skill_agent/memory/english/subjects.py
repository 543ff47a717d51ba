"""The dotted categories of memories: which exist, which hold one value, and the one for a topic.

Finding facts is done elsewhere.
"""

import re

from .word_list import word_list

_SINGLE = word_list(
    """
    name role occupation company employer location hometown birthplace timezone age birthday diet
    relationship income language editor theme colour units deadline budget database hosting
    production
    """
)
"""Last parts of subjects of which only one memory can be true at a time."""
_ONE_ANSWER = ("favourite_", "decision")
"""Beginnings of parts that go on with what the answer is to."""

_TOPICS: tuple[tuple[str, str], ...] = (
    ("theme", r"dark (?:mode|theme)|light (?:mode|theme)"),
    (
        "database",
        r"postgres(?:ql)?|mysql|mariadb|sqlite|mongo(?:db)?|redis|duckdb|cassandra|"
        r"dynamodb|cockroachdb|clickhouse|database|oracle|snowflake|supabase",
    ),
    ("editor", r"vim|neovim|emacs|vs ?code|sublime|intellij|pycharm|zed|helix|editor|ide"),
    (
        "language",
        r"python|typescript|javascript|rust|golang|go|java|kotlin|ruby|c\+\+|c#|swift|"
        r"elixir|haskell|scala|php|programming language",
    ),
    (
        "hosting",
        r"aws|azure|gcp|google cloud|hetzner|heroku|vercel|netlify|fly\.io|"
        r"digital ?ocean|on-prem|kubernetes|cloudflare",
    ),
    ("framework", r"django|flask|fastapi|rails|react|vue|svelte|angular|spring|next\.?js|laravel"),
    (
        "replies",
        r"answers?|repl(?:y|ies)|responses?|explanations?|emojis?|summar(?:y|ies)|bullets?",
    ),
    ("drink", r"coffee|tea|espresso|latte|cappuccino|beer|wine|juice|whisky|matcha"),
    ("colour", r"colou?rs?"),
    ("units", r"metric|imperial|celsius|fahrenheit|kilomet(?:er|re)s|units"),
    ("music", r"music|jazz|metal|techno|hip hop|band|classical|rock"),
    ("meetings", r"meetings?|calls?|stand-?ups?"),
    ("work_time", r"mornings?|evenings?|night owl|early bird|late at night"),
    ("style", r"tabs|spaces|type hints|semicolons|code style|indentation"),
    (
        "food",
        r"food|cuisine|eat|pizza|pasta|sushi|vegetables|meat|fish|cheese|chocolate|spicy|"
        r"breakfast|lunch|dinner|olives|mushrooms|cilantro|coriander",
    ),
)
_COMPILED = tuple(
    (name, re.compile(rf"\b(?:{words})(?!\w)", re.IGNORECASE)) for name, words in _TOPICS
)
_DULL = word_list(
    """
    a an the to of in on at for with and or my their user users own over than more most very
    really is are was were be been it its this that when while from by as not any all some every
    his her our we i up out so too much many just also only lot lots kind bit using use having
    going
    """
)


def topic(text: str) -> str:
    """A short name for what a phrase is about: a known topic, else its first telling words."""
    for name, pattern in _COMPILED:
        if pattern.search(text):
            return name
    return slug(text) or "other"


def slug(text: str, *, words: int = 2) -> str:
    """The first telling words of a text, joined by `_`."""
    telling = [word for word in re.findall(r"[a-z0-9+#]+", text.lower()) if word not in _DULL]
    return "_".join(telling[:words])


def is_single_valued(subject: str | None) -> bool:
    """Whether a newer memory of the subject can only replace an older one."""
    _, *parts = (subject or "").split(".")
    return bool(parts) and (
        parts[-1] in _SINGLE or any(one.startswith(_ONE_ANSWER) for one in parts)
    )
