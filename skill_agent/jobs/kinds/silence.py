"""A reply by which an agent says that there is nothing to tell."""

SILENT = "[SILENT]"


def is_silent(text: str) -> bool:
    """Whether its first or its last line is `[SILENT]` and nothing else, in any case and with or
    without marks around it: an agent that explains why it is silent means it too. Within a sentence
    it is a word like any other."""
    lines = [line.strip(" \t*_`\"'.") for line in text.splitlines() if line.strip()]
    return bool(lines) and SILENT in (lines[0].upper(), lines[-1].upper())
