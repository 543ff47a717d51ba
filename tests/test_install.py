"""What has to be installed for what, and what is said where it is not."""

import sys
import tomllib

import pytest
from house import ROOT
from skill_agent.store.embedding import SentenceTransformerEmbedder

from skill_agent.errors import ModelUnavailable

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    return {one.split(">")[0].split("=")[0].split("[")[0].strip() for one in requirements}


def test_the_light_set_has_no_torch() -> None:
    assert not {"torch", "sentence-transformers"} & names(PROJECT["dependencies"])


def test_everything_is_in_all_and_all_is_in_dev() -> None:
    extras = PROJECT["optional-dependencies"]
    optional = ",".join(name for name in extras if name not in ("all", "docs", "dev", "bench"))
    assert extras["all"] == [f"skill-agent[{optional}]"]
    assert "skill-agent[all,docs]" in extras["dev"]


def test_libraries_we_lean_on_privately_are_bounded_from_above() -> None:
    bounded = names([one for one in PROJECT["dependencies"] if ",<" in one or "==" in one])
    assert {"typer", "uvicorn", "textual"} <= bounded


def test_an_embedder_that_needs_the_extra_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # as if not installed
    with pytest.raises(ModelUnavailable, match="sentence-transformers") as caught:
        SentenceTransformerEmbedder("some/model", fetch=False).embed(["hello"])
    assert 'pip install "skill-agent[sentence-transformers]"' in caught.value.hint
