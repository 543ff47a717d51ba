"""The talk benchmark's scoring, its sets, and that it drives what it says it drives."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import HashEmbedder
from talk_driving import SharedGateway, Stage, play
from talk_scoring import (
    KINDS,
    Answer,
    Before,
    Case,
    Checks,
    Figures,
    case_from,
    judge,
    read_cases,
)
from talk_text import (
    admits,
    claimed,
    echo,
    holds,
    invented,
    language_of,
    loops,
    speaks,
    spoken_of,
    strays,
)

from skill_agent.errors import ModelFailed
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.values import ToolCall

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SETS = {name: read_cases(BENCHMARKS / f"talk_{name}.json") for name in ("build", "choose", "final")}
CASES = [case for cases in SETS.values() for case in cases]
TOLD = Case(
    id="told", kind="statement", language="en", say="I play the cello in a trio.", checks=Checks()
)


def failed(case: Case, text: str = "", **answer: object) -> list[str]:
    """The names of the checks that an answer failed."""
    verdict = judge(case, Answer(text=text, **answer))  # pyright: ignore[reportArgumentType]
    return [fault.partition(":")[0] for fault in verdict.faults]


# -- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needle", "text", "found"),
    [
        ("12", "on 12 February", True),
        ("12", "112 of them", False),
        ("12", "12.5 percent", False),
        ("12", "it is 12.", True),
        ("1250", "1,250 euros", True),
        ("12", "12日です", True),
        ("allerg*", "ALLERGIC to nuts", True),
        ("allerg", "allergic", False),
        ("Fuße", "zu FUSSE", True),
        ("lea", "Léa", True),
        ("札幌", "妹は札幌に住んで", True),
        ("don't", "I don’t know", True),
        ("bread", "gingerbread", False),
    ],
)
def test_words_and_numbers_are_found_whole(needle: str, text: str, found: bool) -> None:
    assert holds(text, needle) is found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Thanks for telling me."),
        ("en", "Max Müller lives in Köln, and he is well."),
        ("de", "Das hast du mir noch nicht gesagt."),
        ("de", "Gern geschehen! Mir geht es gut."),
        ("es", "¡De nada!"),
        ("es", "Tu vuelo sale el martes a las 7."),
        ("fr", "Tu ne me l'as pas encore dit."),
        ("fr", "C'est noté."),
        ("ru", "Вы мне этого ещё не говорили, Max."),
        ("ja", "札幌に住んでいます。"),
        ("zh", "你还没有告诉我。"),
        ("?", "Berlin."),
        ("", "42"),
    ],
)
def test_a_language_is_known_by_its_small_words_or_its_script(language: str, text: str) -> None:
    assert language_of(text) == language


def test_code_and_quotes_have_no_language() -> None:
    assert language_of('Das heißt auf Englisch "the weather is fine and that is it".') == "de"
    assert language_of("Hier ist es:\n```\nfor the is in that: was and\n```") == "de"


def test_a_reply_too_short_to_tell_is_no_wrong_language() -> None:
    assert speaks("Berlin.", "de")
    assert speaks("了解", "ja")
    assert speaks("42", "ru")
    assert not speaks("Berlin is a city.", "ru")
    assert not speaks("Understood, Jonas.", "ja")


def test_a_sentence_in_another_language_strays() -> None:
    assert strays("Понятно, спасибо. Hello! How can I assist you today?", "ru")
    assert strays("Alles klar. What would you like to do about it?", "de")
    assert not strays("Запомню. Отменить: ska memory forget 01a228e2-3294-7357", "ru")
    assert not strays("Alles klar. Rückgängig: ska memory forget 01a228e2", "de")
    assert not strays("Addiere alle Temperaturwerte: 12 + 15 + 9 + 16 + 18 = 70°C", "de")
    assert not strays("The café is on Rue de la Paix, near the Hotel des Alpes.", "en")


def test_an_echo_is_the_longest_run_of_words_or_signs() -> None:
    said = "My daughter Lena is allergic to peanuts, and I don't eat meat."
    assert echo("Lena is allergic to peanuts, and that is good to know.", said, "en") == (6, 6 / 11)
    assert echo("歯医者の予約は水曜日です", "歯医者の予約は水曜日です。", "ja") == (12, 1.0)
    assert echo("", said, "en") == (0, 0.0)


@pytest.mark.parametrize(
    ("language", "reply", "facts", "wrong"),
    [
        ("en", "I don't eat meat.", ["meat"], True),
        ("en", "I have to go to my dentist's appointment.", ["appointment"], True),
        ("en", "Your dog and my cat get on well.", ["cat"], True),
        ("en", "I'll remember the appointment.", ["appointment"], False),
        ("en", "I'm glad you play the cello.", ["cello"], False),
        ("en", "I don't have the number of the card.", ["card"], False),
        ("en", 'You said "I play the cello".', ["cello"], False),
        ("en", "My pleasure! You play the cello.", ["cello"], False),
        ("de", "Mein Zahnarzttermin ist am Dienstag.", ["Zahnarzttermin"], True),
        ("de", "Ich habe mir den Termin gemerkt.", ["Termin"], False),
        ("es", "Mi vuelo sale el martes.", ["vuelo"], True),
        ("es", "Tu vuelo sale el martes.", ["vuelo"], False),
        ("fr", "J'ai quarante ruches.", ["ruches"], True),
        ("fr", "Tu as quarante ruches.", ["ruches"], False),
        ("ru", "Моя собака любит снег.", ["собак*"], True),
        ("ru", "Я запомню имя собаки.", ["собак*"], False),
        ("ja", "私の妹は札幌にいます。", ["妹"], True),
        ("ja", "妹さんは札幌にいます。", ["妹"], False),
        ("zh", "我的花店在成都。", ["花店"], True),
        ("zh", "你的花店在成都。", ["花店"], False),
    ],
)
def test_the_persons_facts_are_not_the_agents(
    language: str, reply: str, facts: list[str], wrong: bool
) -> None:
    assert bool(claimed(reply, facts, language)) is wrong


def test_the_person_is_spoken_to_and_not_of() -> None:
    assert spoken_of("The user's landlord is Mr Achterberg.", "en")
    assert not spoken_of("Your landlord is Mr Achterberg.", "en")


def test_values_that_nobody_gave_are_invented() -> None:
    asked = "Where did I move to? My brother is Theo."
    assert invented("You moved to Bern on 3 May with Theo.", asked, "en") == ["3", "Bern", "May"]
    assert invented("Am Freitag, glaube ich.", "Wann?", "de") == ["freitag"]
    assert invented("You have not told me yet. Bern?", asked, "en") == []


def test_not_knowing_is_said_in_each_language() -> None:
    assert admits("I don’t know that.", "en")
    assert admits("Das hast du mir noch nicht gesagt.", "de")
    assert not admits("Du bist am Freitag dort.", "de")


def test_loops_are_seen() -> None:
    assert loops("Hello! Hello! Hello! Hello!")
    assert loops("It is a cat. " * 4)
    assert not loops("It is a cat. It is a dog. It is what it is.")


# -- judging -------------------------------------------------------------------------------------


def test_what_was_told_is_answered_and_not_given_back() -> None:
    assert failed(TOLD, "A trio! Who else plays?") == []
    assert failed(TOLD, "I play the cello in a trio.") == ["echo"]
    assert failed(TOLD, "play the cello in") == ["echo"]
    assert failed(TOLD, "the cello in") == []
    claiming = replace(TOLD, checks=Checks(person=("cello",)))
    assert failed(claiming, "I love my cello.") == ["person"]
    assert failed(TOLD, "Das ist schön, und wer spielt noch mit dir?") == ["language"]
    assert failed(TOLD, "  ") == ["empty"]


def test_a_question_about_the_unknown_gets_no_value() -> None:
    case = replace(TOLD, kind="unknown", say="Where is my key?", checks=Checks(unknown=True))
    assert failed(case, "You haven't told me that yet.") == []
    assert failed(case, "It is on floor 3.") == ["pretends", "invented"]
    assert failed(case, "I lost my key.") == ["person", "pretends"]


def test_the_tool_that_begins_decides() -> None:
    case = replace(TOLD, kind="tool", checks=Checks(tool=("weather", "http_get:open-meteo")))
    assert failed(case, tools=("activate_skill weather",)) == []
    assert failed(case, tools=("http_get https://api.open-meteo.com/v1",)) == []
    assert failed(case, tools=("activate_skill world-clock",)) == ["wrong tool"]
    assert failed(case, "It will rain.") == ["missed"]
    assert failed(TOLD, tools=("activate_skill weather",)) == ["needless"]
    assert failed(TOLD, "Nice, a trio!", tools=("remember x",)) == []
    assert failed(replace(TOLD, kind="table"), tools=("remember x",)) == ["needless"]


def test_a_review_names_a_defect_and_a_table_the_number() -> None:
    review = replace(
        TOLD, kind="review", checks=Checks(defects=(("injection",), ("leak*", "close*")))
    )
    assert failed(review, "The file is never closed.") == []
    assert failed(review, "Looks good.") == ["defects"]
    table = replace(TOLD, kind="table", checks=Checks(has_any=(("3", "three"),)))
    assert failed(table, "There are three of them.") == []
    assert failed(table, "There are 13 of them.") == ["lacks"]


def test_length_memory_and_failures_are_judged() -> None:
    written = replace(TOLD, kind="writing", checks=Checks(words=(2, 4), characters=20, lines=2))
    assert failed(written, "Snow falls\non you") == []
    assert failed(written, "Snow falls on all of the hills") == ["length", "length", "length"]
    kept = replace(TOLD, kind="remember", checks=Checks(kept=("cello|viola", "trio")))
    assert failed(kept, "I will.", memories=("You play the viola in a trio",)) == []
    assert failed(kept, "I will.", memories=("the cello", "the trio")) == ["kept"]
    assert failed(TOLD, problem="no reply in 120 s") == ["failed"]


def test_figures_count_only_where_a_fault_can_be() -> None:
    tool = replace(TOLD, id="tool", kind="tool", checks=Checks(tool=("weather",)))
    figures = Figures(
        verdicts=[
            judge(TOLD, Answer(text="I play the cello in a trio.", prompt_tokens=100, first_s=1.0)),
            judge(TOLD, Answer(text="How lovely!", prompt_tokens=100, cached_tokens=50)),
            judge(tool, Answer(text="It is the sun.")),
        ]
    )
    rates = figures.rates()
    assert rates["passed"] == (1, 3)
    assert rates["echo"] == (1, 2)
    assert rates["needless tools"] == (0, 2)
    assert rates["missed tools"] == (1, 1)
    assert figures.by("kind") == {"statement": (1, 2), "tool": (0, 1)}
    costs = figures.costs()
    assert costs["cached share"] == 0.25
    assert costs["replies without a model"] == 1


def test_a_case_that_is_written_wrong_says_where() -> None:
    row = {"id": "x", "kind": "recall", "language": "en", "say": "hm"}
    with pytest.raises(ValueError, match=r"x: .*has_al"):
        case_from(row | {"checks": {"has_al": ["a"]}})
    with pytest.raises(ValueError, match="x: no such kind or language: recal, en"):
        case_from(row | {"kind": "recal"})


GOOD = json.loads(Path(__file__).with_name("talk_good.json").read_text(encoding="utf-8"))
"""What a friend would have said: the labels let it pass."""


@pytest.mark.parametrize("case", [one for one in CASES if one.id in GOOD], ids=lambda c: c.id)
def test_a_good_reply_passes(case: Case) -> None:
    verdict = judge(case, Answer(text=GOOD[case.id], memories=(case.say,)))
    assert verdict.faults == ()


# -- the sets ------------------------------------------------------------------------------------


def test_the_sets_are_large_enough_and_hold_every_kind_and_language() -> None:
    sizes = {name: len(cases) for name, cases in SETS.items()}
    assert sizes["build"] >= 60 and sizes["choose"] >= 60 and sizes["final"] >= 80
    assert Counter(case.id for case in CASES).most_common(1)[0][1] == 1
    for cases in SETS.values():
        assert {case.kind for case in cases} == set(KINDS)
        assert {case.language for case in cases} >= {"en", "de", "es", "fr", "ru", "ja"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_labels_agree_with_themselves(case: Case) -> None:
    """What must be recalled was told, and no turn asks for nothing."""
    checks = case.checks
    if case.kind in ("recall", "change"):
        assert case.before
        assert all(holds(case.told, one) for one in checks.has_all)
        assert all(any(holds(case.told, one) for one in some) for some in checks.has_any)
        assert checks.has_all or checks.has_any
    needed = {
        "tool": checks.tool,
        "review": checks.defects and case.piped,
        "table": (checks.has_all or checks.has_any) and case.piped,
        "remember": checks.kept,
        "unknown": checks.unknown,
    }
    assert needed.get(case.kind, True)
    assert all(holds(case.say, some) for group in checks.kept for some in group.split("|")[:1])


# -- driving -------------------------------------------------------------------------------------


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(otherwise="It is 214.")


@pytest.fixture
def stage(tmp_path: Path, model: ScriptedModel) -> Stage:
    return Stage(
        folder=tmp_path,
        gateway=SharedGateway(ScriptedGateway(model)),
        embedder=HashEmbedder(),
        chosen={},
    )


@pytest.mark.deep
@pytest.mark.real
async def test_what_was_before_is_told_and_only_the_last_turn_is_the_models(
    stage: Stage, model: ScriptedModel
) -> None:
    case = replace(
        TOLD,
        kind="recall",
        before=(
            Before(said="remember that my locker is 214", reply="I will.", session="old"),
            Before(said="I am at the gym", reply="Have fun!"),
            Before(memory="The gym closes at ten."),
        ),
        say="Which locker is mine?",
        checks=Checks(has_all=("214",)),
    )
    ran = await play(stage, case)
    assert judge(case, ran.answer).passed
    assert len(model.requests) == 1
    prompt = "\n".join(one.content for one in model.requests[0].messages)
    assert "Have fun!" in prompt and "214" in prompt
    assert model.requests[0].temperature == 0.0
    assert any("locker" in one for one in ran.answer.memories)
    assert ran.answer.prompt_tokens and ran.answer.first_s and ran.events


@pytest.mark.real
async def test_a_turn_that_fails_is_told_of_and_the_run_goes_on(
    stage: Stage, model: ScriptedModel
) -> None:
    model.add([ModelFailed("the model fell over")])
    ran = await play(stage, TOLD)
    assert "fell over" in ran.answer.problem
    model.add([ModelFailed("and again")])
    ran = await play(stage, replace(TOLD, before=(Before(said="hello"),)))
    assert "what was said before failed" in ran.answer.problem
    assert judge(TOLD, (await play(stage, TOLD)).answer).passed


@pytest.mark.real
async def test_a_turn_ends_where_its_tool_begins(stage: Stage, model: ScriptedModel) -> None:
    model.add([ToolCall(id="1", name="activate_skill", arguments={"name": "weather"})])
    ran = await play(stage, replace(TOLD, kind="tool", checks=Checks(tool=("weather",))))
    assert ran.answer.tools == ("activate_skill weather",)
    assert len(model.requests) == 1
    assert not list(stage.folder.iterdir())
