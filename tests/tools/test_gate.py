"""Which tools a message may want: cues, examples, and what stands beside the words."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import HashEmbedder
from model_files import minilm_dir
from skill_agent.store.embedding import OnnxEmbedder

from skill_agent.errors import ModelUnavailable
from skill_agent.skills.book import SkillBook
from skill_agent.skills.requests import REQUESTS, parse_requests, read_requests
from skill_agent.tools.gate.cues import asks, calls, has_address, sentences
from skill_agent.tools.gate.gate import HTTP_GET, Gate
from skill_agent.tools.gate.kept import KeptVectors
from skill_agent.tools.gate.likeness import learned, script_of
from skill_agent.values import Skill

ROOT = Path(__file__).parents[2]
OFFERED = {"weather", "world-clock", "recipe-finder", "research-assistant", HTTP_GET}


def shipped() -> list[Skill]:
    return [skill for skill in SkillBook([ROOT / "skills"]).skills() if skill.name in OFFERED]


@pytest.fixture(scope="module")
def letters() -> Gate:
    """The shipped skills without an embedder: the same on every machine."""
    return Gate(known=shipped)


async def names(gate: Gate, text: str, *, beside: bool = False) -> list[str]:
    return [one.name for one in await gate.plausible(text, offered=OFFERED, beside=beside)]


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("What's the weather in Bergen?", "weather"),
        ("Wie ist das Wetter in Bergen?", "weather"),
        ("какая погода в Бергене?", "weather"),
        ("京都の天気は？", "weather"),
        ("what time is it in Havana", "world-clock"),
        ("哈瓦那现在几点", "world-clock"),
        ("une recette de ratatouille s'il te plaît", "recipe-finder"),
        ("averigua qué se sabe del insomnio, con fuentes", "research-assistant"),
        ("Fetch https://example.org/x and sum it up", HTTP_GET),
    ],
)
async def test_a_request_gets_its_tool(letters: Gate, text: str, tool: str) -> None:
    assert await names(letters, text) == [tool]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Thanks a lot!",
        "I feel under the weather",
        "That's a recipe for disaster",
        "Die Zeit vergeht wie im Flug",
        "¿a qué hora es mi cita con el dentista?",
        "Я переехала в Берген",
        "雨についての詩を書いて",
        "what is the difference between a list and a tuple",
        "my homepage is https://example.org",
    ],
)
async def test_words_get_none(letters: Gate, text: str) -> None:
    assert await names(letters, text) == []


async def test_what_is_not_offered_is_not_given(letters: Gate) -> None:
    found = await letters.plausible("What's the weather in Bergen?", offered={"world-clock"})
    assert found == []
    assert await letters.plausible("What's the weather?", offered={"no-such-skill"}) == []


async def test_words_beside_a_table_mean_the_table(letters: Gate) -> None:
    asked = "What's the weather in Bergen?"
    assert await names(letters, asked) == ["weather"]
    assert await names(letters, asked, beside=True) == []
    assert await names(letters, "use the weather skill", beside=True) == ["weather"]
    assert await names(letters, "compare it with https://example.org/a", beside=True) == [HTTP_GET]


async def test_a_request_after_a_story_is_seen(letters: Gate) -> None:
    text = "Thanks, that helped me a lot with my sister. What's the weather in Bergen?"
    assert await names(letters, text) == ["weather"]


async def test_a_candidate_says_why(letters: Gate) -> None:
    (called,) = await letters.plausible("/weather Bergen", offered=OFFERED)
    assert (called.name, called.score, called.why) == ("weather", 1.0, "called by name")
    (alike,) = await letters.plausible("weather in Bergen?", offered=OFFERED)
    assert 0 < alike.score < 1
    assert alike.why.startswith("like “")


async def test_a_skill_of_ones_own_takes_part(tmp_path: Path) -> None:
    folder = tmp_path / "tram-times"
    (folder / "references").mkdir(parents=True)
    (folder / "SKILL.md").write_text(
        "---\nname: tram-times\ndescription: Tram departures.\n---\nDo it.\n", "utf-8"
    )
    book = SkillBook([tmp_path])
    gate = Gate(known=book.skills)
    asked = "when does the next tram leave from the main square"
    offered = {"tram-times", HTTP_GET}
    assert await gate.plausible(asked, offered=offered) == []
    requests = [
        "when is the next tram",
        "next tram from the station please",
        "when does a tram leave",
    ]
    (folder / REQUESTS).write_text("\n".join(requests), "utf-8")
    assert [one.name for one in await gate.plausible(asked, offered=offered)] == ["tram-times"]
    assert book.files("tram-times") == ()


async def test_an_embedder_that_does_not_load_is_done_without() -> None:
    class Unloadable(HashEmbedder):
        def embed(self, texts: Sequence[str]) -> np.ndarray:
            raise ModelUnavailable("no model.onnx")

    weather = [skill for skill in shipped() if skill.name == "weather"]
    gate = Gate(known=lambda: weather, embedder=Unloadable)
    assert await names(gate, "What's the weather in Bergen?") == ["weather"]


# -- with the shipped embedder -----------------------------------------------------------------


@pytest.mark.slow
async def test_labelled_messages_keep_their_bounds() -> None:
    gate = Gate(known=shipped, embedder=lambda: OnnxEmbedder(minilm_dir()))
    rows = json.loads((ROOT / "benchmarks" / "gate_build.json").read_text("utf-8"))
    needless = missed = 0
    for row in rows:
        given = await names(gate, row["text"], beside=row["kind"] == "beside")
        needless += not row["want"] and bool(given)
        missed += bool(row["want"]) and row["want"] not in given
    wanting = sum(bool(row["want"]) for row in rows)
    assert needless <= 0.02 * (len(rows) - wanting)
    assert missed <= 0.15 * wanting


def test_an_embedder_counts_only_in_scripts_it_knows() -> None:
    texts = [f"{verb} {place}" for verb in ("weather", "clock") for place in ("a", "b", "c", "d")]
    wants = ["w"] * 4 + ["c"] * 4
    blind = ["погода раз", "погода два", "погода три", "часы раз", "часы два", "часы три"]

    class OnlyEnglish(HashEmbedder):
        def embed(self, texts: Sequence[str]) -> np.ndarray:
            # Every Cyrillic text next to one that wants the other thing.
            axes = [[text.isascii(), "clock" in text, text[-3:] == "раз", text[-3:] == "два"]
                    for text in texts]  # fmt: skip
            rows = np.array(axes, np.float32) + 0.01
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    found = learned([*texts, *blind], [*wants, *"wwwccc"], OnlyEnglish())
    assert found.share_of("some weather") > 0
    assert found.share_of("погода") == 0
    assert found.share_of("संगीत") == 0


# -- parts -------------------------------------------------------------------------------------


def test_addresses() -> None:
    seen = [
        "https://a.b/c",
        "see www.example.com",
        "example.org/x?",
        "auf example.de.",
        "（https://a.b）",
    ]
    unseen = [
        "main.py",
        "asyncio.run()",
        "me@example.com",
        "e.g. this",
        "3.5",
        "node.js",
        "x.com.y",
    ]
    assert [has_address(text) for text in seen] == [True] * len(seen)
    assert [has_address(text) for text in unseen] == [False] * len(unseen)


def test_a_question_mark_of_an_address_asks_nothing() -> None:
    assert asks("is it https://a.b/c?")
    assert asks("本当？はい")
    assert not asks("get https://a.b/c?d=1 now")


def test_a_skill_is_called_by_more_than_its_bare_name() -> None:
    for text in (
        "/world-clock",
        "ask @world-clock now",
        "the world clock skill",
        "Skill world_clock",
    ):
        assert calls(text, "world-clock")
    for text in ("our world-clock widget", "a/world-clock", "world-clocks"):
        assert not calls(text, "world-clock")
    assert calls("使用天气技能 weather 技能", "weather")
    assert not calls("what is the weather", "weather")


def test_sentences() -> None:
    assert sentences("Hi! It is late。もう寝る？ ok") == ["It is late。", "もう寝る？"]
    assert sentences(" ".join(f"Sentence {n}." for n in range(9)))[3:5] == [
        "Sentence 3.",
        "Sentence 5.",
    ]


def test_scripts() -> None:
    texts = ("hola", "привет https://a.b", "東京は", "东京", "٣")
    assert [script_of(one) for one in texts] == ["latin", "cyrillic", "kana", "han", "other"]


def test_requests_are_read_leniently(tmp_path: Path) -> None:
    found = parse_requests(["# no", "", "  a ", "not: b", "not:", "x" * 999])
    assert found.wanted == ("a", "x" * 300)
    assert found.unwanted == ("b",)
    assert read_requests(tmp_path / "none.txt").wanted == ()
    (tmp_path / "binary.txt").write_bytes(b"\0\1")
    assert read_requests(tmp_path / "binary.txt").wanted == ()


def test_shipped_skills_bring_requests_and_look_alikes() -> None:
    for skill in shipped():
        found = read_requests(Path(skill.path) / REQUESTS)
        assert len(found.wanted) > 50
        assert len(found.unwanted) > 30
        assert not {*found.wanted} & {*found.unwanted}


class Counting(HashEmbedder):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return super().embed(texts)


def test_vectors_are_computed_once(tmp_path: Path) -> None:
    file = tmp_path / "new" / "vectors.txt"
    first = KeptVectors(Counting(), file).embed(["one two", "three"])
    counting = Counting()
    again = KeptVectors(counting, file).embed(["three", "four", "one two"])
    assert counting.asked == ["four"]
    assert np.allclose(again[[2, 0]], first, atol=1e-3)
    assert "three" not in file.read_text("utf-8")


@pytest.mark.parametrize(
    "damage", ["", "other\n", "hash-64\nabc notbase64!\n", "hash-64\nabc AAAA\n"]
)
def test_damaged_vectors_are_computed_anew(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text(damage, "utf-8")
    kept = KeptVectors(HashEmbedder(), file)
    assert np.allclose(kept.embed(["one"]), HashEmbedder().embed(["one"]), atol=1e-3)
    assert len(file.read_text("utf-8").splitlines()) == 2


def test_vectors_that_cannot_be_kept_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    kept = KeptVectors(HashEmbedder(), tmp_path / "file" / "vectors.txt")
    assert kept.embed(["one"]).shape == (1, 64)
