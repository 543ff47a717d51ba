"""A person and a project of the test's own, so that no client of this machine is touched."""

from pathlib import Path

import pytest

OF_CLIENTS = (
    "XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA", "CODEX_HOME", "CLAUDE_CONFIG_DIR",
    "GEMINI_CLI_HOME", "USERPROFILE",
)  # fmt: skip


@pytest.fixture(autouse=True)
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's folder."""
    made = tmp_path / "person"
    made.mkdir()
    monkeypatch.setenv("HOME", str(made))
    for name in OF_CLIENTS:
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder one is in."""
    made = tmp_path / "project"
    made.mkdir()
    monkeypatch.chdir(made)
    return made
