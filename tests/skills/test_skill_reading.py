"""What people really write into SKILL.md: nearly all of it loads, and nothing raises."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.files.bundled import bundled_skills_path
from skill_agent.skills.frontmatter import FrontMatterError, parse_document
from skill_agent.skills.reading import allowed_tools, read_skill, validate_skill
from skill_agent.values import Skill

Write = Callable[..., Path]

GOOD = "---\nname: good\ndescription: Does good. Use when good is wanted.\n---\nBody\n"
BOMB = "---\n" + "a: &a [x, x]\n" + "".join(
    f"{after}: &{after} [*{before}, *{before}, *{before}, *{before}]\n"
    for before, after in zip("abcdefghijklmn", "bcdefghijklmno", strict=True)
) + "description: boom\n---\n"  # fmt: skip


def skill(write: Write, text: str | bytes, folder: str = "good") -> Skill:
    return read_skill(write(folder, text) / "SKILL.md").skill


def test_a_plain_skill_has_no_warning_and_meets_the_standard(write: Write) -> None:
    read = skill(write, GOOD)
    assert (read.name, read.loaded, read.warnings) == ("good", True, ())
    assert validate_skill(Path(read.path)).errors == ()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (GOOD.replace("good\n", "other\n", 1), 'the name "other" differs from its folder "good"'),
        (GOOD.replace("name: good", "name: Good Name"), "other than lower-case letters"),
        (GOOD.replace("name: good", f"name: {'x' * 70}"), "70 characters, the limit is 64"),
        (GOOD.replace("name: good", "name: -good--x"), "begins or ends with -"),
        (GOOD.replace("name: good\n", ""), "no name; the folder's is used"),
        (GOOD.replace("name: good", "name: 2024"), "the name is not written as text"),
        (GOOD.replace("Does good.", "x" * 1100), "the limit is 1024"),
        (GOOD.replace("Does good. Use", "Use this: good. Use"), "putting the values in quotes"),
        (GOOD.replace("Does good. Use", "@everyone. Use"), "putting the values in quotes"),
        (GOOD.replace("Does", "[beta] Does"), "putting the values in quotes"),
        (GOOD.replace("Does", '"Does" it:'), "putting the values in quotes"),
        (GOOD.replace("Use when", "Use\n  when: a\n  and"), "putting the values in quotes"),
        (GOOD.replace("---\nBody", "argument-hint: [a] [b]\n---\nB"), "the values in quotes"),
        (GOOD + "line\n" * 510, "keep it under 500"),
        (GOOD.replace("Body", ""), "the body is empty"),
        (GOOD.replace("---\nBody", "metadata: 3\n---\nBody"), "metadata is not a mapping"),
        ("\n\n" + GOOD, "blank lines before the front matter"),
        (GOOD.encode("utf-16"), "UTF-16"),
        (GOOD.replace("Body", "Grüße").encode("cp1252"), "line 5 is not UTF-8"),
    ],
)
def test_what_is_odd_warns_and_loads(write: Write, text: str | bytes, warning: str) -> None:
    read = skill(write, text)
    assert read.loaded, read.reason
    assert read.description
    assert any(warning in told for told in read.warnings), read.warnings


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("\n", "\r"),
        GOOD.replace("---\nBody", "---   \nBody\n---\nmore"),
        GOOD.replace("---\nBody", "metadata: {a: {b: [1, 2]}, c: 2.5}\n---\nBody"),
        GOOD.replace("Does good.", '"Does: good."').replace(" Use when good is wanted.", ""),
        GOOD.replace("description: ", "description: >-\n  "),
    ],
)
def test_what_is_harmless_loads_without_a_word(write: Write, text: str | bytes) -> None:
    read = skill(write, text)
    assert (read.loaded, read.warnings, read.name) == (True, (), "good")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no front matter"),
        ("# Just a page\n", "no front matter"),
        ("---\nname: good\n", "no closing ---"),
        (GOOD.replace("description", "descripton"), "no description"),
        ("---\nname: good\ndescription:\n---\n", "no description"),
        ("---\ndescription: {a: 1}\n---\n", "the description is not text"),
        ("---\n- a\n- b\n---\n", "not a list of `key: value` lines"),
        ("---\nname: [good\n  x: : y\n---\nBody", "the YAML cannot be read at line"),
        ("---\ndescription: 2024-13-45\n---\n", ""),
        (GOOD.encode() + b"\0\1\2", "not a text file"),
        (BOMB, "nested too deeply or too large"),
        ("---\na: &a [*a]\ndescription: x\n---\n", "nested too deeply or too large"),
        ("---\nx: " + "[" * 5000 + "\n---\n", ""),
        ("---\na: &a {x: 1}\nb: {<<: [*a, *a]}\ndescription: x\n---\n", "merges other parts"),
        ("---\nx: " + "y" * 70_000 + "\n---\n", "too large"),
        ("x" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    write: Write, text: str | bytes, reason: str
) -> None:
    read = skill(write, text)
    if reason:
        assert not read.loaded
        assert reason in read.reason
    assert read.name == "good"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Bash(git add:*) Read", ("Bash(git add:*)", "Read")),
        ("Read, Write,Edit", ("Read", "Write", "Edit")),
        (["Read", "Bash(a, b)"], ("Read", "Bash(a, b)")),
        (None, ()),
        ({"a": 1}, ()),
        ("Bash(unclosed", ("Bash", "unclosed")),
    ],
)
def test_allowed_tools_come_in_every_spelling(value: object, names: tuple[str, ...]) -> None:
    assert allowed_tools(value) == names


def test_another_spelling_of_the_file_warns(write: Write) -> None:
    place = write("good", GOOD, name="skill.md")
    report = validate_skill(place)
    assert report.skill.loaded
    assert "the file is called skill.md, not SKILL.md" in report.skill.warnings
    assert report.errors == ("the file must be called SKILL.md, not skill.md",)


def test_a_skill_hidden_from_models_is_marked(write: Write) -> None:
    assert skill(write, GOOD.replace("---\nBody", "disable-model-invocation: true\n---\nB")).hidden


def test_the_strict_report_names_every_departure(write: Write) -> None:
    text = (
        "---\nname: Good\ndescription: [a]\nversion: 1\nmetadata: {n: 1}\n"
        "allowed-tools: [Read]\ncompatibility: " + "x" * 501 + "\n---\nB"
    )
    told = " | ".join(validate_skill(write("good", text)).errors)
    for part in (
        "lower-case letters", "description must be text", "compatibility must have at most 500",
        "metadata must map text to text", "allowed-tools must be text",
        "not in the standard: version",
    ):  # fmt: skip
        assert part in told


def test_a_folder_without_a_skill_is_told(tmp_path: Path) -> None:
    report = validate_skill(tmp_path)
    assert report.skill.reason == "no SKILL.md in this folder"


@pytest.mark.parametrize("folder", sorted(path.name for path in bundled_skills_path().iterdir()))
def test_the_skills_that_come_with_the_product_are_sound(folder: str) -> None:
    place = bundled_skills_path() / folder
    report = validate_skill(place)
    assert (report.errors, report.skill.warnings) == ((), ())
    body = (place / "SKILL.md").read_text(encoding="utf-8")
    assert len(body) / 3.5 < 900, "a small model reads it in half a minute"
    for name in ("references/", "scripts/"):
        for word in body.replace("`", " ").split():
            if word.startswith(name) and "." in word:
                assert (place / word.rstrip(".,;:")).is_file(), word


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: f"---\n{t}\n---\n".encode()))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    try:
        document = parse_document(raw)
    except FrontMatterError:
        return
    assert isinstance(document.fields, dict)
