"""`write(folder, text)` puts a SKILL.md somewhere below `root`."""

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "skills"
    path.mkdir()
    return path


@pytest.fixture
def write(root: Path) -> Write:
    def put(folder: str, text: str | bytes, name: str = "SKILL.md") -> Path:
        place = root / folder
        place.mkdir(parents=True, exist_ok=True)
        raw = text if isinstance(text, bytes) else text.encode("utf-8")
        (place / name).write_bytes(raw)
        return place

    return put
