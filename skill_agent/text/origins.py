"""Origins in words for a person and a model."""

from collections.abc import Sequence

from skill_agent.values import Origin

_WORDS: dict[Origin, str] = {
    "pipe": "a pipe",
    "file": "a file",
    "paste": "something pasted",
    "client": "a client program",
    "web": "the web",
    "tool": "a tool",
    "import": "an import",
    "agent": "another agent",
    "skill": "a skill that was not approved",
}


def in_words(origins: Sequence[Origin]) -> str:
    """As in "from the web and a pipe"; empty where all is the person's own."""
    *some, last = [_WORDS[one] for one in origins] or [""]
    return f"{', '.join(some)} and {last}" if some else last
