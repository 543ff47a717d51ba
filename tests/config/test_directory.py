"""The agents of a home: re-read when the file changes, edited without losing a comment."""

import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skill_agent.agents.directory import AgentDirectory, slug_of
from skill_agent.agents.dna import ModelConfig
from skill_agent.errors import ConfigErrors, NotFound, UsageError
from skill_agent.files.bundled import bundled_agents_path

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

TEXT = """\
# my team
[team]
shared_skill_names = ["weather"]  # everybody

[agents.kyra]   # the friendly one
name = "Kyra"
status = "active"

  [agents.kyra.personality]
  tone = "friendly"

[agents.luke]
name = "Luke"
[agents.luke.model]
temperature = 0.2  # steady
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "agents.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def directory(file: Path) -> AgentDirectory:
    return AgentDirectory(file, clock=lambda: NOW)


def slugs(directory: AgentDirectory) -> list[str]:
    return [agent.slug for agent in directory.list()]


def test_a_table_added_by_hand_is_there_at_the_next_look(
    directory: AgentDirectory, file: Path
) -> None:
    assert slugs(directory) == ["kyra", "luke"]
    file.write_text(TEXT + "\n[agents.zoe]\n", encoding="utf-8")
    assert slugs(directory) == ["kyra", "luke", "zoe"]


def test_a_replaced_file_of_equal_size_and_time_is_seen(
    directory: AgentDirectory, file: Path
) -> None:
    before = file.stat()
    assert directory.get("luke").model.temperature == 0.2
    other = file.with_name("other")
    other.write_text(TEXT.replace("0.2", "0.4"), encoding="utf-8")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert directory.get("luke").model.temperature == 0.4


def test_a_broken_edit_keeps_the_last_good_state_and_tells(
    directory: AgentDirectory, file: Path
) -> None:
    assert slugs(directory) == ["kyra", "luke"]
    file.write_text(TEXT + "\n[agents.zoe]\nnmae = 'Zoe'\n", encoding="utf-8")
    assert slugs(directory) == ["kyra", "luke"]
    assert directory.error is not None
    assert 'did you mean "name"?' in str(directory.error)
    file.write_text(TEXT, encoding="utf-8")
    assert slugs(directory) == ["kyra", "luke"]
    assert directory.error is None


def test_a_mistaken_table_takes_only_its_own_agent_away(file: Path) -> None:
    file.write_text(TEXT + "\n[agents.zoe]\nnmae = 'Zoe'\n", encoding="utf-8")
    directory = AgentDirectory(file, clock=lambda: NOW)
    assert slugs(directory) == ["kyra", "luke"]
    assert directory.slugs == ("kyra", "luke", "zoe")
    with pytest.raises(ConfigErrors, match=r"agents\.zoe\.nmae: unknown key"):
        directory.get("zoe")
    with pytest.raises(ConfigErrors, match="unknown key"):
        directory.set_status("kyra", "paused")
    file.write_text(TEXT + "\n[agents.zoe]\nname = 'Zoe'\n", encoding="utf-8")
    assert slugs(directory) == ["kyra", "luke", "zoe"]
    assert directory.get("zoe").name == "Zoe"


def test_a_mistake_beside_the_agents_takes_none_away(file: Path) -> None:
    file.write_text(TEXT + "\n[taem]\n", encoding="utf-8")
    directory = AgentDirectory(file, clock=lambda: NOW)
    assert slugs(directory) == ["kyra", "luke"]
    assert 'did you mean "team"?' in str(directory.error)


def test_without_any_good_state_the_mistakes_are_raised(
    directory: AgentDirectory, file: Path
) -> None:
    file.write_text("[agents", encoding="utf-8")
    with pytest.raises(ConfigErrors, match="not valid TOML"):
        directory.list()
    file.write_bytes(b"# gr\xfc\xdfe\n")
    with pytest.raises(ConfigErrors, match="not UTF-8"):
        directory.list()
    file.unlink()
    with pytest.raises(ConfigErrors, match="cannot be read"):
        directory.list()


@pytest.mark.parametrize("name", ["kyra", "@kyra", "Kyra", "KYRA"])
def test_an_agent_is_found_by_slug_or_name(directory: AgentDirectory, name: str) -> None:
    assert directory.get(name).slug == "kyra"


def test_an_unknown_agent_comes_with_the_nearest(directory: AgentDirectory) -> None:
    with pytest.raises(NotFound) as caught:
        directory.get("kira")
    assert caught.value.hint == 'did you mean "kyra"?'
    with pytest.raises(NotFound) as caught:
        directory.get("x")
    assert "kyra, luke" in caught.value.hint


def test_a_status_changes_two_lines_and_nothing_else(directory: AgentDirectory, file: Path) -> None:
    assert directory.set_status("kyra", "paused").status == "paused"
    before, after = TEXT.splitlines(), file.read_text(encoding="utf-8").splitlines()
    assert [line for line in after if line not in before] == [
        'status = "paused"',
        "updated_at = 2026-11-21T09:00:00Z",
    ]
    assert [line for line in before if line not in after] == ['status = "active"']
    assert directory.get("luke").status == "active"


def test_a_status_can_be_set_where_none_was_written(directory: AgentDirectory, file: Path) -> None:
    directory.set_status("luke", "archived")
    assert directory.get("luke").status == "archived"
    assert directory.get("luke").model.temperature == 0.2
    assert "# steady" in file.read_text(encoding="utf-8")
    assert slugs(directory) == ["kyra", "luke"]


def test_a_model_is_chosen_where_none_was_written(directory: AgentDirectory, file: Path) -> None:
    assert directory.set_model("luke", "openai/gpt-4o").model.model_name == "openai/gpt-4o"
    assert directory.set_model("kyra", "fast").model.model_name == "fast"
    text = file.read_text(encoding="utf-8")
    assert "# steady" in text and "# the friendly one" in text and "# everybody" in text
    assert slugs(directory) == ["kyra", "luke"]


def test_what_would_choose_another_model_gives_way(tmp_path: Path) -> None:
    file = tmp_path / "agents.toml"
    file.write_bytes(bundled_agents_path().read_bytes())
    directory, before = AgentDirectory(file, clock=lambda: NOW), file.read_text(encoding="utf-8")
    assert directory.get("luke").model.force_tier == "powerful"
    luke = directory.set_model("luke", "openai/gpt-4o").model
    assert chosen_name(luke) == ("openai/gpt-4o", None, True)
    assert chosen_name(directory.set_model("max", "a/b").model) == ("a/b", None, False)
    assert chosen_name(directory.set_model("max", "default").model) == ("default", None, True)
    after = file.read_text(encoding="utf-8")
    gone = [line for line in before.splitlines() if line not in after.splitlines()]
    assert gone == ['force_tier = "powerful"']
    assert [line for line in before.splitlines() if "#" in line and line not in after] == []


def chosen_name(model: ModelConfig) -> tuple[str, str | None, bool]:
    return model.model_name, model.force_tier, model.enable_model_routing


def test_setting_the_same_status_writes_nothing(directory: AgentDirectory, file: Path) -> None:
    before = file.stat().st_mtime_ns
    directory.set_status("kyra", "active")
    assert file.stat().st_mtime_ns == before


def test_a_new_agent_stands_at_the_end_and_the_file_is_private(
    directory: AgentDirectory, file: Path
) -> None:
    zoe = directory.new("zoe", {"name": "Zoë", "tagline": 'says "hi"'})
    assert (zoe.name, zoe.tagline, zoe.created_at) == ("Zoë", 'says "hi"', NOW)
    assert zoe.effective_skills == ("weather",)
    assert file.read_text(encoding="utf-8").startswith(TEXT.rstrip())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_clone_copies_all_but_name_status_and_dates(tmp_path: Path) -> None:
    file = tmp_path / "agents.toml"
    file.write_bytes(bundled_agents_path().read_bytes())
    directory = AgentDirectory(file, clock=lambda: NOW)
    directory.set_status("max", "paused")
    for source in ("kyra", "luke", "ada", "max"):
        copy, origin = directory.clone(source, f"{source}-2"), directory.get(source)
        own = {"slug", "name", "status", "created_at", "updated_at"}
        assert copy.model_dump(exclude=own) == origin.model_dump(exclude=own)
        assert (copy.status, copy.created_at) == ("active", NOW)
    assert directory.get("max-2").name == "Max 2"


@pytest.mark.parametrize(
    ("slug", "error"),
    [("kyra", UsageError), ("Bad Slug", ConfigErrors), ("9lives", ConfigErrors)],
)
def test_a_refused_edit_leaves_the_file_alone(
    directory: AgentDirectory, file: Path, slug: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        directory.new(slug)
    with pytest.raises(error):
        directory.clone("luke", slug)
    assert file.read_text(encoding="utf-8") == TEXT


def test_a_mistaken_field_is_refused_with_the_key(directory: AgentDirectory, file: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"personality\.tone"):
        directory.new("zoe", {"personality": {"tone": "loud"}})
    assert file.read_text(encoding="utf-8") == TEXT


def test_agents_written_inline_are_never_damaged(tmp_path: Path) -> None:
    file = tmp_path / "agents.toml"
    text = 'agents = { kyra = { name = "Kyra" }, luke = {} }\n'
    file.write_text(text, encoding="utf-8")
    directory = AgentDirectory(file, clock=lambda: NOW)
    with pytest.raises((UsageError, ConfigErrors)):
        directory.new("zoe")
    assert file.read_text(encoding="utf-8") == text
    assert directory.set_status("kyra", "paused").status == "paused"
    assert directory.get("luke").status == "active"


def test_a_link_keeps_pointing_where_it_did(directory: AgentDirectory, file: Path) -> None:
    kept = file.parent / "dotfiles" / "team.toml"
    kept.parent.mkdir()
    file.rename(kept)
    file.symlink_to(kept)
    directory.set_status("kyra", "paused")
    assert file.is_symlink()
    assert 'status = "paused"' in kept.read_text(encoding="utf-8")


def test_edits_from_several_threads_all_arrive(file: Path) -> None:
    def add(number: int) -> None:
        AgentDirectory(file, clock=lambda: NOW).new(f"agent{number}")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(AgentDirectory(file).list()) == 14


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Zoë Smith", "zoe-smith"), ("zoe", "zoe"), ("  R2 D2!", "r2-d2"),
        ("007 Bond", "bond"), ("日本", ""), ("a_b-c", "a_b-c"), ("x" * 60, "x" * 40),
    ],
)  # fmt: skip
def test_a_name_makes_a_slug(name: str, slug: str) -> None:
    assert slug_of(name) == slug
