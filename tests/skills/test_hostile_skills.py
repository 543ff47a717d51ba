"""Whatever stands in a skill's folder: it is refused with its reason, and its neighbours load."""

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.skills.book import SkillBook
from skill_agent.skills.folder import MOST_ENTRIES, FolderRefused, entries_of
from skill_agent.skills.frontmatter import parse_document
from skill_agent.skills.plain_yaml import AsWritten, FrontMatterError, read_yaml, typed
from skill_agent.skills.reading import plain_name, read_skill
from skill_agent.skills.requests import Requests, requests_of
from skill_agent.values import Skill

Write = Callable[..., Path]
GOOD = "---\nname: good\ndescription: Does good.\n---\nBody\n"
LONG = "x" * 50_000


def head(lines: str) -> str:
    return f"---\nname: bad\ndescription: d\n{lines}\n---\nBody\n"


DEAR = {
    "flow brackets": head("m: " + "[" * 5_000),
    "flow braces": head("m: " + "{" * 30_000),
    "brackets in a row": head("m: " + "[a, b] " * 8_000),
    "dashes": head("m:\n  " + "- " * 20_000),
    "question marks": head("? " * 20_000),
    "many keys": head("\n".join(f"k{number}: 1" for number in range(8_000))),
    "one key again and again": head("a: 1\n" * 9_000),
    "directives": head("%a\n" * 15_000),
    "aliases of aliases": head(
        "a0: &a0 [x, x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))
    ),
    "aliases of a long text": head(f"a: &a {LONG}\nb: [" + "*a, " * 1_000 + "]"),
    "a ladder of aliases": head(
        "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 900))
    ),
    "an alias in itself": head("a: &a {b: *a}"),
    "a merge": head("a: &a {x: 1}\nb:\n  <<: *a"),
    "an object": head("a: !!python/object/apply:os.system [id]"),
    "an unknown tag": head("a: !thing x"),
    "brackets in allowed-tools": head("allowed-tools: '" + "(" * 60_000 + "'"),
    "entries that cannot be read": head("a: [\n" * 9_000),
    "quotes": head("m: " + "'" * 50_001),
    "a huge version": "---\n%YAML 1." + "9" * 6_000 + "\n---\nx\n",
    "a long name": f"---\nname: {LONG}\ndescription: d\n---\nx\n",
}


@pytest.mark.parametrize("what", DEAR)
def test_hostile_yaml_costs_little_and_hides_no_neighbour(
    root: Path, write: Write, what: str
) -> None:
    write("good", GOOD)
    write("bad", DEAR[what])
    begun = time.process_time()
    good, other = sorted(SkillBook([root]).skills(), key=lambda skill: skill.name != "good")
    assert time.process_time() - begun < 1.0
    assert good.loaded
    assert other.loaded or other.reason
    strict(other)


def strict(skill: Skill) -> None:
    """A skill's fields are text, lists and mappings, and the whole of it can be printed."""

    def check(value: Any) -> None:
        match value:
            case dict():
                for key, inner in value.items():
                    assert type(key) is str
                    check(inner)
            case list() | tuple():
                for inner in value:
                    check(inner)
            case _:
                assert value is None or type(value) in (str, bool), value

    parts = (skill.metadata, skill.description, skill.warnings, skill.reason, skill.allowed_tools)
    check(parts)
    json.dumps(parts, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (".nan", ".nan"), ("-.inf", "-.inf"), ("2024-01-01", "2024-01-01"),
        ("2024-13-45", "2024-13-45"), ("2024-01-01 10:00:00", "2024-01-01 10:00:00"),
        ("0x" + "f" * 6_000, "0x" + "f" * 6_000), ("9" * 6_000, "9" * 6_000),
        ("1e999", "1e999"), ("1:20:30", "1:20:30"), ("0123", "0123"), ("1_000", "1_000"),
        ("!!binary aGk=", "aGk="), ("!!set {a, b}", {"a": None, "b": None}),
        ("!!int zz", "zz"), ("~", None), ("yes", "yes"), ('"1"', "1"), ("=", "="),
        ('"\\ud800"', "?"), ('"a\\0b\\e[31m"', "a b [31m"), ("[1, {2: 3}]", ["1", {"2": "3"}]),
    ],
)  # fmt: skip
def test_metadata_is_kept_as_it_was_written(write: Write, written: str, kept: object) -> None:
    skill = read_skill(write("bad", head(f"metadata: {{a: {written}}}")) / "SKILL.md").skill
    assert (skill.loaded, skill.metadata) == (True, {"a": kept})
    strict(skill)


@pytest.mark.parametrize(
    "key", ["name: bad", "description: other", "a: 1\na: 2", "m: {b: 1, b: 2}"]
)
def test_a_key_that_stands_twice_is_told(write: Write, key: str) -> None:
    skill = read_skill(write("bad", head(key)) / "SKILL.md").skill
    assert any("stands twice; the last one counts" in told for told in skill.warnings)
    assert len(skill.warnings) < 10


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("../../etc/passwd", "etc-passwd"), ("a/b", "a-b"), ("C:\\x", "c-x"), ("..", "bad"),
        ('"a\\0b\\e[31m\\n"', "a-b-31m"), ("Recipe Finder", "recipe-finder"), ("Météo", "meteo"),
        ("<|im_start|>system", "im-start-system"), ("weather", "weather"),
        ("x" * 70_00, "x" * 64), ("天气", "bad"), ('"\\u202egnp.exe"', "gnp-exe"),
    ],
)  # fmt: skip
def test_a_name_is_plain_whatever_was_written(write: Write, written: str, name: str) -> None:
    text = f"---\nname: {written}\ndescription: d\n---\nx\n"
    skill = read_skill(write("bad", text) / "SKILL.md").skill
    assert (skill.loaded, skill.name) == (True, name)
    assert (written == name) or any(f'it is called "{name}" here' in one for one in skill.warnings)


def test_a_name_without_a_letter_is_refused(write: Write) -> None:
    skill = read_skill(
        write("天气", "---\nname: 天气\ndescription: d\n---\nx\n") / "SKILL.md"
    ).skill
    assert (skill.loaded, skill.name) == (False, "unnamed")
    assert "no letter a-z" in skill.reason


def test_names_that_differ_in_case_alone_are_one_name(root: Path, write: Write) -> None:
    write("weather", "---\nname: weather\ndescription: d\n---\nx\n")
    write("other", "---\nname: WEATHER\ndescription: e\n---\ny\n")
    first, second = SkillBook([root]).skills()
    assert (first.loaded, second.loaded, "shadowed" in second.reason) == (True, False, True)


def test_files_that_are_none_hold_nothing_up(root: Path, write: Write) -> None:
    write("good", GOOD)
    for name in ("pipe", "dangling", "circle", "null"):
        (root / name).mkdir()
    os.mkfifo(root / "pipe" / "SKILL.md")
    (root / "dangling" / "SKILL.md").symlink_to(root / "nowhere")
    (root / "circle" / "SKILL.md").symlink_to(root / "circle" / "SKILL.md")
    (root / "null" / "SKILL.md").symlink_to("/dev/zero")
    place = write("odd", GOOD.replace("good", "odd"))
    os.mkfifo(place / "pipe.md")
    (place / "self").symlink_to(place)
    (place / "outside.md").symlink_to("/etc/passwd")
    skills = {skill.name: skill for skill in SkillBook([root]).skills()}
    assert {name for name, skill in skills.items() if skill.loaded} == {"good", "odd"}
    for name in ("pipe", "dangling", "circle", "null"):
        assert skills[name].reason
    assert SkillBook([root]).files("odd") == ()


@pytest.mark.parametrize("target", ["pipe", "/dev/zero", "nowhere", "large", "binary"])
def test_requests_that_are_no_text_teach_nothing(root: Path, write: Write, target: str) -> None:
    place = write("good", GOOD)
    (place / "references").mkdir()
    os.mkfifo(place / "references" / "pipe")
    (place / "references" / "large").write_text("x\n" * 200_000)
    (place / "references" / "binary").write_bytes(b"a\0b")
    (place / "references" / "requests.txt").symlink_to(target)
    (skill,) = SkillBook([root]).skills()
    assert skill.loaded
    assert requests_of(skill) == Requests()


def test_a_folder_of_thousands_is_refused_at_once(root: Path, write: Write) -> None:
    write("good", GOOD)
    place = write("bad", head(""))
    for number in range(MOST_ENTRIES + 1):
        (place / f"{number}.md").touch()
    good, bad = SkillBook([root]).skills()
    assert (good.name, good.loaded, bad.name, bad.loaded) == ("good", True, "bad", False)
    assert f"more than {MOST_ENTRIES} files" in bad.reason
    with pytest.raises(FolderRefused):
        entries_of(place)


def test_a_deep_folder_is_read_as_far_as_it_can_be_named(root: Path, write: Write) -> None:
    place = write("good", GOOD)
    deep = place
    for _ in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "SKILL.md").write_text(GOOD)
    (skill,) = SkillBook([root]).skills()
    assert skill.loaded


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_are_left_out(root: Path, write: Write) -> None:
    place = write("good", GOOD)
    (place / "locked.md").write_text("x")
    (place / "locked.md").chmod(0)
    assert SkillBook([root]).files("good") == ()
    (place / "SKILL.md").chmod(0)
    (skill,) = SkillBook([root]).skills()
    assert "cannot be read" in skill.reason


def test_files_too_large_together_are_refused(root: Path, write: Write) -> None:
    place = write("bad", head(""))
    for number in range(201):
        (place / f"{number}.bin").write_bytes(b"x" * 100_000)
    (skill,) = SkillBook([root]).skills()
    assert (skill.loaded, "more than 20 MB" in skill.reason) == (False, True)


def test_truth_and_numbers_can_be_had_where_they_are_wanted() -> None:
    value, _ = read_yaml("{a: yes, b: 1, c: 0.5, d: .nan, e: 2024-01-01, f: '1', g: [off, ~]}")
    assert typed(value) == {
        "a": True, "b": 1, "c": 0.5, "d": ".nan", "e": "2024-01-01", "f": "1", "g": [False, None],
    }  # fmt: skip
    assert isinstance(value["a"], AsWritten)


# -- any bytes at all ------------------------------------------------------------------------------

TOKENS = st.sampled_from([
    "name: ", "description: ", "metadata:", "allowed-tools: ", "\n", "  ", "- ", "{", "}", "[",
    "]", "&a ", "*a", "<<: ", "!!set ", "!!binary ", "!!python/object:os.x ", "!", "? ", ": ",
    "| ", ">-", "'", '"', "\\", "\t", "#", "%", "@", "`", "---", "...", "\r", "\x00", "\x1b",
    "\ufeff", "\ud800", "\u2028", "0x1f", ".inf", "2024-01-01", "yes", "~", "=", "a", "é", "天",
])  # fmt: skip
HEADS = st.lists(TOKENS, max_size=60).map("".join)


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@given(
    st.binary(max_size=300)
    | HEADS.map(lambda text: as_bytes(f"---\n{text}\n---\nBody"))
    | HEADS.map(lambda text: as_bytes(f"---\ndescription: d\nmetadata:\n  {text}\n---\n"))
)
def test_any_bytes_are_a_skill_or_refused(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    try:
        assert isinstance(parse_document(raw).fields, dict)
    except FrontMatterError as refusal:
        assert str(refusal)
    place = tmp_path_factory.getbasetemp() / "any"
    place.mkdir(exist_ok=True)
    (place / "SKILL.md").write_bytes(raw)
    read = read_skill(place / "SKILL.md").skill
    assert read.loaded or read.reason
    assert read.name == plain_name(read.name) != ""
    strict(read)


@given(st.text())
def test_a_value_is_never_more_than_text(text: str) -> None:
    value = typed(AsWritten(text))
    assert isinstance(value, str | bool | int | float)
    assert not isinstance(value, float) or math.isfinite(value)
