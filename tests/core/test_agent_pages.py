"""Agents as Markdown: what the pages say, that they keep in step, and whose edits win."""

from pathlib import Path

import pytest
import yaml
from fakes import OpenRuntime

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.pages import AgentFigures, AgentPages, figures, page_text
from skill_agent.errors import UsageError
from skill_agent.events import TurnFinished
from skill_agent.files.bundled import bundled_agents_path
from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Page, Purge


@pytest.fixture
def team(home: Home) -> AgentDirectory:
    home.root.mkdir()
    home.agents.write_bytes(bundled_agents_path().read_bytes())
    return AgentDirectory(home.agents)


def test_a_page_tells_who_and_how_well(team: AgentDirectory) -> None:
    luke = team.get("luke")
    text = page_text(luke, AgentFigures(turns=12, liked=5, disliked=1), "markdown")
    assert text.startswith("# Luke - ")
    for line in ("- Agent ID: luke", "- Status: active", "- Replies: 12", "- Rated good: 5"):
        assert line in text
    assert "- Trust Score: 0.75 (6 ratings)" in text


def test_an_unrated_agent_says_so(team: AgentDirectory) -> None:
    assert "0.50 (unrated)" in page_text(team.get("kyra"), AgentFigures(), "markdown")


def test_the_claude_form_has_a_readable_header(team: AgentDirectory) -> None:
    text = page_text(team.get("ada"), AgentFigures(), "claude")
    _, head, body = text.split("---\n", 2)
    header = yaml.safe_load(head)
    assert header["name"] == "ada"
    assert header["description"]
    assert "You are Ada" in body


def test_pages_follow_the_agent(team: AgentDirectory, home: Home, tmp_path: Path) -> None:
    pages, folder = AgentPages(home, team), tmp_path / "out"
    written = pages.export(team.list(), to=folder, page_format="markdown", done={}).written
    assert {Path(one.path).name for one in written} == {f"{one.slug}.md" for one in team.list()}
    assert pages.refresh().written == ()
    team.set_status("luke", "paused")
    (again,) = AgentPages(home, team).refresh().written
    assert again.agent == "luke"
    assert "Status: paused" in (folder / "luke.md").read_text()
    (figure,) = pages.refresh({"ada": AgentFigures(turns=3)}).written
    assert figure.agent == "ada"
    team.set_status("ada", "paused")
    pages.refresh()
    assert "Replies: 3" in (folder / "ada.md").read_text()


def test_an_edited_page_is_its_editors(team: AgentDirectory, home: Home, tmp_path: Path) -> None:
    pages, folder = AgentPages(home, team), tmp_path / "out"
    pages.export([team.get("luke")], to=folder, page_format="markdown", done={})
    (folder / "luke.md").write_text("mine now")
    team.set_status("luke", "paused")
    assert pages.refresh().edited == (str(folder / "luke.md"),)
    assert (folder / "luke.md").read_text() == "mine now"


def test_a_deleted_page_stays_deleted(team: AgentDirectory, home: Home, tmp_path: Path) -> None:
    pages, folder = AgentPages(home, team), tmp_path / "out"
    pages.export([team.get("luke")], to=folder, page_format="markdown", done={})
    (folder / "luke.md").unlink()
    team.set_status("luke", "paused")
    assert pages.refresh().written == ()
    assert not (folder / "luke.md").exists()


def test_a_foreign_file_is_not_overwritten(
    team: AgentDirectory, home: Home, tmp_path: Path
) -> None:
    (tmp_path / "luke.md").write_text("somebody else's")
    pages, luke = AgentPages(home, team), [team.get("luke")]
    with pytest.raises(UsageError, match="not written by skill-agent"):
        pages.export(luke, to=tmp_path, page_format="claude", done={})
    pages.export(luke, to=tmp_path, page_format="claude", done={}, force=True)
    assert (tmp_path / "luke.md").read_text().startswith("---\nname: luke")


def test_a_damaged_register_is_as_good_as_none(team: AgentDirectory, home: Home) -> None:
    (home.root / "agent_pages.json").write_text("{")
    assert AgentPages(home, team).refresh().written == ()


async def test_figures_are_counted_from_the_log(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(["one", "two"])) as runtime:
        replies = []
        for who in ("kyra", "luke"):
            async for event in runtime.ask(f"@{who} hello"):
                replies += [event.message_id] if isinstance(event, TurnFinished) else []
        for rating in ("up", "down", "up"):
            data = {"agent": "luke", "rating": rating}
            await runtime.ledger.note("feedback", replies[1], actor="person", data=data)
        found = await figures(runtime.ledger)
        assert (found["kyra"].turns, found["kyra"].liked) == (1, 0)
        assert (found["luke"].liked, found["luke"].disliked) == (1, 0)
        assert found["luke"].trust == pytest.approx(2 / 3)
        used = await runtime.ledger.log(kinds=("usage",))
        await runtime.ledger.purge(Purge(notes=(used[0].seq,), actor="person"))
        erased = (await figures(runtime.ledger))["kyra"]
        assert (erased.turns, erased.tokens) == (1, 0)


async def test_a_rating_moves_the_trust_of_who_replied(
    open_runtime: OpenRuntime, tmp_path: Path
) -> None:
    page = tmp_path / "out" / "luke.md"
    async with open_runtime(ScriptedModel(["one", "two"])) as runtime:
        for _ in range(2):
            async for _event in runtime.ask("@luke hello"):
                pass
            await runtime.feedback.rate("latest", "up")
        await runtime.agents.export(["luke"], to=str(tmp_path / "out"), page_format="markdown")
        assert "- Trust Score: 0.75 (2 ratings)" in page.read_text()
        await runtime.feedback.rate("latest", "down")
        found = (await figures(runtime.ledger))["luke"]
        assert (found.liked, found.disliked) == (1, 1)
    assert "- Trust Score: 0.50 (2 ratings)" in page.read_text()


async def test_ratings_of_older_versions_count_for_who_replied(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel(["one"])) as runtime:
        replies = [
            event.message_id
            async for event in runtime.ask("@luke hello")
            if isinstance(event, TurnFinished)
        ]
        for entity in (replies[0], "unknown"):
            await runtime.ledger.note("feedback", entity, actor="person", data={"rating": "up"})
        found = await figures(runtime.ledger)
        assert {slug: one.liked for slug, one in found.items()} == {"luke": 1}


def test_figures_that_were_erased_leave_the_page(
    team: AgentDirectory, home: Home, tmp_path: Path
) -> None:
    pages, luke = AgentPages(home, team), [team.get("luke")]
    folder, done = tmp_path / "out", {"luke": AgentFigures(turns=3, tokens=900)}
    pages.export(luke, to=folder, page_format="markdown", done=done)
    pages.refresh({})
    assert "Tokens: 0" in (folder / "luke.md").read_text()


def test_a_page_is_known_by_its_path() -> None:
    page = Page(agent="luke", path="/x/luke.md", format="claude", sha256="")
    assert page.path.endswith("luke.md")
