"""Models that were pulled into SKILL_AGENT_MODEL_CACHE, for tests of what really runs on them."""

import os
from pathlib import Path

import pytest


def pulled(*files: str) -> Path:
    """A directory below the cache that holds these files; skips the test without one."""
    cache = os.environ.get("SKILL_AGENT_MODEL_CACHE")
    for found in sorted(Path(cache).rglob(files[0])) if cache else ():
        if all((found.parent / name).exists() for name in files):
            return found.parent
    pytest.skip(f"SKILL_AGENT_MODEL_CACHE holds no model with {', '.join(files)}")
