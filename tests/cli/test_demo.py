"""`ska demo`: every line of the tour shows something, and nobody's own home is touched."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import Ska
from skill_agent.cli.setup.sample import Month


@pytest.fixture
def sample(ska: Ska, tmp_path: Path) -> tuple[Ska, Path]:
    """A sample home, by somebody whose own has models, or so it looks."""
    ska.home.models.mkdir(parents=True)
    root = tmp_path / "sample"
    done = ska("demo", str(root), "--yes")
    assert done.code == 0, done.err
    assert done.out == f"{root}\n"
    return ska, root


def test_the_tour_shows_something(sample: tuple[Ska, Path]) -> None:
    ska, root = sample

    def there(*words: str):
        done = ska("--home", str(root), *words, "--json")
        assert done.code == 0, done.err
        return done.json

    found = there("memory", "list")
    days = {one["created_at"][:10] for one in found}
    assert len(found) >= 15 and len(days) >= 8
    assert len(there("memory", "disputes")) == 1
    assert {one["last_state"] for one in there("jobs", "list")} >= {"completed", "failed"}
    assert {one["sort"] for one in there("inbox", "list")} >= {"result", "failure"}
    assert [one["status"] for one in there("team", "list")] == ["completed"]
    assert len(there("sessions", "list")) >= 13
    assert there("sessions", "list")[0]["updated_at"] <= datetime.now(UTC).isoformat()
    assert not (ska.home.root / "ledger.duckdb").exists()


def test_it_is_made_once_and_never_over_something_else(
    sample: tuple[Ska, Path], tmp_path: Path
) -> None:
    ska, root = sample
    made = (root / "config.toml").stat().st_mtime_ns
    assert "already" in ska("demo", str(root)).err
    assert (root / "config.toml").stat().st_mtime_ns == made
    other = tmp_path / "photos"
    other.mkdir()
    (other / "sea.jpg").touch()
    done = ska("demo", str(other), "--again")
    assert done.code == 2
    assert [one.name for one in other.iterdir()] == ["sea.jpg"]
    assert not [*tmp_path.glob("*.half")]


def test_the_script_is_in_order() -> None:
    """Days go back within a month."""
    month = Month(today=datetime.now(UTC))
    for one in (*month.script["talk"], *month.script["memory"]):
        assert 0 < one["day"] <= 31
        assert month.at(one["day"]) < month.today + timedelta(days=1)
