"""`ska doctor` on homes that are well, missing, in use and broken."""

import os

import pytest
from command_line import Ska, Terminal
from skill_agent.cli.setup.doctor_models import memory_findings
from skill_agent.cli.setup.doctor_stores import language_findings
from skill_agent.store.lock import HomeLock

from skill_agent.files.home import Home
from skill_agent.values import LanguageCoverage


def by_id(done) -> dict:
    found = {finding["id"]: finding for finding in done.json}
    assert len(found) == len(done.json), "ids are unique"
    for finding in found.values():
        assert set(finding) == {"id", "level", "title", "detail", "fix"}
        assert finding["level"] in ("ok", "warning", "error")
        assert finding["fix"] or finding["level"] == "ok", finding
    return found


def errors_beside_models(found: dict) -> list[str]:
    """Errors other than that this test home has no model."""
    return [
        name
        for name, finding in found.items()
        if finding["level"] == "error" and not name.startswith("models")
    ]


def test_a_home_that_is_not_there(ska: Ska) -> None:
    done = ska("doctor", "--json")
    found = by_id(done)
    assert done.code == 1
    assert (found["home"]["level"], found["home"]["fix"]) == ("error", "ska init")
    assert not ska.home.root.exists()


def test_a_good_home(ska: Ska) -> None:
    ska("memory", "add", "one")
    found = by_id(ska("doctor", "--json"))
    assert errors_beside_models(found) == []
    for name in ("home", "permissions", "config", "agents", "skills", "lock", "terminal"):
        assert found[name]["level"] == "ok", found[name]
    out = ska("doctor").out
    assert "ok       settings" in out


def test_a_home_in_use(ska: Ska) -> None:
    ska("memory", "list")
    with HomeLock(ska.home.lock):
        found = by_id(ska("doctor", "--json"))
    assert found["lock"]["level"] == "warning"
    assert str(os.getpid()) in found["lock"]["detail"]


def test_open_permissions(ska: Ska) -> None:
    ska("memory", "list")
    ska.home.config.chmod(0o644)
    found = by_id(ska("doctor", "--json"))["permissions"]
    assert found["level"] == "warning"
    assert "config.toml" in found["detail"]
    assert found["fix"].startswith("chmod")


def test_broken_settings(ska: Ska) -> None:
    ska("memory", "list")
    ska.home.config.write_text("[generall]\nuser = 1\n")
    done = ska("doctor", "--json")
    found = by_id(done)
    assert done.code == 1
    assert "config.toml:1" in found["config"]["detail"]
    assert found["config"]["fix"] == "ska config validate"
    assert found["terminal"]["level"] == "ok"


def test_broken_agents(ska: Ska) -> None:
    ska("memory", "list")
    ska.home.agents.write_text('[agents.kyra]\nnam = "Kyra"\n')
    done = ska("doctor", "--json")
    assert done.code == 1
    assert "agents.toml:2" in by_id(done)["agents"]["detail"]


def test_other_files_that_cannot_be_read(ska: Ska) -> None:
    ska("memory", "list")
    ska.home.rules.write_bytes(b"\xff")
    ska.home.templates.mkdir()
    (ska.home.templates / "mine.md").write_text("---\noptions: {api_base: x}\n---\n")
    keys = ska.home.root / "api-keys.json"
    keys.write_text('{"version": 1, "version": 1}')
    keys.chmod(0o600)
    done = ska("doctor", "--json")
    found = by_id(done)
    assert done.code == 1
    assert "not UTF-8" in found["file.approvals.txt"]["detail"]
    assert "stands there twice" in found["file.api-keys.json"]["detail"]
    assert "api_base is no option of a reply" in found["file.mine.md"]["detail"]
    assert found["ledger"]["level"] == "ok"


def test_a_broken_skill(ska: Ska) -> None:
    ska("memory", "list")
    folder = ska.home.skills / "broken"
    folder.mkdir()
    (folder / "SKILL.md").write_text("no front matter")
    found = by_id(ska("doctor", "--json"))
    assert found["skills.broken"]["level"] == "warning"
    assert found["skills.broken"]["detail"]


def test_a_broken_ledger(ska: Ska) -> None:
    ska("memory", "list")
    Home(ska.home.root).ledger.write_bytes(b"this is no database" * 1000)
    done = ska("doctor", "--json")
    assert done.code == 1
    assert "stores" in errors_beside_models(by_id(done))


@pytest.mark.parametrize(
    ("default", "gigabytes", "said"),
    [
        ("embedded/qwen2.5-coder-1.5b", 8, ""),
        ("embedded/qwen2.5-coder-1.5b", 2, "too little for"),
        ("embedded/smollm2-135m", 2, ""),
        ("embedded/qwen3.6-35b-a3b", 16, "takes about 22.0 GB, this machine has 16.0 GB"),
        ("embedded/qwen3.6-35b-a3b", 64, ""),
        ("embedded/qwen3.6-35b-a3b", 0, ""),
        ("embedded/mine", 8, ""),
    ],
)
def test_a_default_model_must_fit_the_memory(default: str, gigabytes: int, said: str) -> None:
    found = list(memory_findings(default, gigabytes * 10**9, 2 * 8192))
    assert [one.level for one in found] == (["warning"] if said else [])
    assert all(said in one.detail for one in found)


class Speaking:
    """A home in which so many messages of a language were said."""

    def __init__(self, **messages: int) -> None:
        total = sum(messages.values())
        self._found = [
            LanguageCoverage(
                id=code,
                messages=count,
                share=count / total,
                rules=(),
                embedder=code == "en",
                model=None,
                advice=("ska init --embedder use-multilingual-3",),
            )
            for code, count in messages.items()
        ]

    async def languages(self) -> list[LanguageCoverage]:
        return self._found


@pytest.mark.parametrize(
    ("messages", "told"),
    [({"de": 30, "en": 10}, True), ({"de": 10, "en": 30}, False), ({"de": 9, "en": 1}, False)],
)
async def test_an_embedder_that_does_not_know_what_is_spoken(
    messages: dict[str, int], told: bool
) -> None:
    found = await language_findings(Speaking(**messages))
    assert [one.id for one in found] == (["languages"] if told else [])
    assert all("de 75%" in one.detail and "use-multilingual-3" in one.fix for one in found)


def test_fix_mends_what_loses_nothing(ska: Ska) -> None:
    assert ska("memory", "add", "Tea is at four").code == 0
    home = ska.home
    home.config.chmod(0o644)
    before = by_id(ska("doctor", "--json"))
    assert before["permissions"]["level"] == "warning"
    person = Terminal(["y", "y", *["n"] * 9])
    after = by_id(ska("doctor", "--fix", "--json", person=person))
    assert ["make it private" in person.asked[0], "backup" in person.asked[1]] == [True, True]
    assert before["backup"]["fix"] == "ska backup create"
    assert before["backup"]["title"] != after["backup"]["title"], "there is one now, if an old one"
    assert after["permissions"]["level"] == "ok"
    assert home.config.stat().st_mode & 0o077 == 0
    assert "Tea is at four" in ska("memory", "list").out


def test_fix_asks_and_leaves_what_is_declined(ska: Ska) -> None:
    assert ska("memory", "add", "Tea is at four").code == 0
    ska.home.config.chmod(0o644)
    done = ska("doctor", "--fix", person=Terminal(["n"] * 9))
    assert "others can read the home" in done.err
    assert ska.home.config.stat().st_mode & 0o044


def test_fix_and_salvage_are_not_done_at_once(ska: Ska) -> None:
    assert ska("doctor", "--fix", "--salvage").code == 2
