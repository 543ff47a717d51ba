"""Which of the dotted categories of memories hold one value."""

_SINGLE = frozenset(
    (
        "name",
        "role",
        "occupation",
        "company",
        "employer",
        "location",
        "hometown",
        "birthplace",
        "timezone",
        "age",
        "birthday",
        "diet",
        "relationship",
        "income",
        "language",
        "editor",
        "theme",
        "colour",
        "units",
        "deadline",
        "budget",
        "database",
        "hosting",
        "production",
    )
)
"""Last parts of subjects of which only one memory can be true at a time."""
_ONE_ANSWER = ("favourite_", "decision")
"""Beginnings of parts that go on with what the answer is to."""


def is_single_valued(subject: str | None) -> bool:
    """Whether a newer memory of the subject can only replace an older one."""
    _, *parts = (subject or "").split(".")
    return bool(parts) and (
        parts[-1] in _SINGLE or any(one.startswith(_ONE_ANSWER) for one in parts)
    )
