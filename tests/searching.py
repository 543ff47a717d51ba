"""How long property tests search: by the profile, `ci` (short, the same on every machine) or
`deep` (`--hypothesis-profile deep`: long, elsewhere each time).

What a deep search finds is written down as an `@example`, so that the short one sees it for ever.
"""

from hypothesis import settings

settings.register_profile("ci", max_examples=20, derandomize=True, deadline=None, database=None)
settings.register_profile("deep", max_examples=300, deadline=None, print_blob=True)
settings.load_profile("ci")


def fewer(share: int) -> int:
    """The profile's examples parted by `share`, for searches over whole stores."""
    return max(3, settings().max_examples // share)


def is_deep() -> bool:
    return settings().max_examples > 100
