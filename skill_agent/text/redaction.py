"""Keeping secrets out of every sink; patterns only, no policy and no storage."""

import re
from typing import Any

_SECRETS = re.compile(
    r"""
    \b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}            # OpenAI, Anthropic, Stripe style keys
    | \bska_[A-Za-z0-9_-]{20,}                   # our own API keys
    | \bgh[pousr]_[A-Za-z0-9]{20,}               # GitHub
    | \bgithub_pat_[A-Za-z0-9_]{20,}
    | \bxox[abprs]-[A-Za-z0-9-]{10,}             # Slack
    | \bAKIA[0-9A-Z]{16}\b                       # AWS access key id
    | \bAIza[0-9A-Za-z_-]{30,}                   # Google
    | \bhf_[A-Za-z0-9]{20,}                      # Hugging Face
    | \b\d{8,10}:[A-Za-z0-9_-]{35}\b             # Telegram bot token
    | \beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+  # JWT
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_NAMED = re.compile(
    r"(?i)\b(authorization|api[_-]?key|token|password|secret)([\"']?\s*[=:]\s*)(?:bearer\s+)?"
    r"(?:\"[^\"]{8,}\"|'[^']{8,}'|[^\s\"',;&]{8,})"
)


def redact(text: str) -> str:
    """The text with anything that looks like a credential replaced by a mark."""
    text = _SECRETS.sub("[redacted]", text)
    return _NAMED.sub(lambda m: f"{m[1]}{m[2]}[redacted]", text)


def redacted(value: Any) -> Any:
    """The same for every text inside of lists and tables; a name tells of its value too."""
    match value:
        case str():
            return redact(value)
        case dict():
            return {name: _named(str(name), inner) for name, inner in value.items()}
        case list() | tuple():
            return [redacted(inner) for inner in value]
        case _:
            return value


def _named(name: str, value: Any) -> Any:
    if isinstance(value, str) and _NAMED.fullmatch(f"{name}='{value}'"):
        return "[redacted]"
    return redacted(value)
