"""`ska route` and `ska agents recommend`."""

from command_line import Ska

from skill_agent.files.home import Home

CODE = "please review my code and find the bug in this function"


def test_a_decision_is_explained(ska: Ska) -> None:
    done = ska("route", *CODE.split())
    assert done.code == 0
    first, *rows = done.out.splitlines()
    assert first == "luke"
    assert any(row.startswith("luke") and "Pattern match (60%)" in row for row in rows)
    assert "skill match: Luke matches best" in done.err
    told = ska("route", CODE, "--json").json
    assert next(iter(told)) == "agent" and told["agent"] == "luke"
    assert {one["agent"] for one in told["scores"]} == {"kyra", "luke", "ada", "max"}
    assert ska("route", "and the second one?", "-a", "ada", "--json").json["reason"] == "current"


def test_what_was_decided_is_told_afterwards(ska: Ska) -> None:
    asked = ska("ask", CODE)
    assert "luke answers instead of kyra" in asked.err
    done = ska("route", "why", "latest")
    assert done.code == 0 and "luke" in done.out and "skill match" in done.out
    told = ska("route", "why", "--json").json
    assert told["routing"]["agent"] == "luke" and told["id"]
    stats = ska("route", "stats", "--json").json
    assert stats["by_agent"] == {"luke": 1}
    assert "luke 1" in ska("route", "stats").out


def test_mistakes_are_told(ska: Ska) -> None:
    ska("ask", "Hello")
    assert "nothing was decided" in ska("route", "why", "latest").err
    assert ska("route", "").code == 2
    assert ska("route", "hi", "-a", "nobody").code == 2
    assert ska("route").code == 2


def test_agents_are_recommended(ska: Ska) -> None:
    done = ska("agents", "recommend", "somebody who reviews code and finds bugs")
    assert done.code == 0 and "luke" in done.out.splitlines()[1]
    found = ska("agents", "recommend", "write a slogan for the shop", "--json", "-n", "1").json
    assert [one["id"] for one in found] == ["max"]
    assert set(found[0]) == {
        "id", "name", "confidence", "matching_skills", "tagline", "personality_preview",
    }  # fmt: skip
    assert ska("agents", "recommend", " ").code == 2


def test_no_agent_is_called_as_a_word_of_the_api(ska: Ska, home: Home) -> None:
    ska("ask", "hi")
    done = ska("agents", "new", "recommend")
    assert done.code == 2 and "choose another slug" in done.err
    with home.agents.open("a", encoding="utf-8") as file:
        file.write('\n[agents.recommend]\nname = "R"\n')
    checked = ska("agents", "validate")
    assert checked.code == 2 and '"recommend" is a word of the API' in checked.out + checked.err
