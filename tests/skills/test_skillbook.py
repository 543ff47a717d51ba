"""Finding skills below several roots, and opening them without leaving their folders."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from skill_agent.errors import NotFound, ToolFailed
from skill_agent.files.home import Home
from skill_agent.skills.book import SkillBook, find_skills, skill_roots

Write = Callable[..., Path]


def text(name: str, description: str = "Does it.", body: str = "Body of it.") -> str:
    return f"---\nname: {name}\ndescription: {description}\n---\n{body}\n"


def test_one_bad_file_never_hides_another(root: Path, write: Write) -> None:
    write("a-good", text("a-good"))
    write("b-broken", "---\nname: b\n\tx\n---\n")
    write("c-empty", "")
    write("deep/er/d-good", text("d-good"))
    (root / "loop").symlink_to(root / "loop")
    (root / "dangling").symlink_to(root / "nowhere")
    (root / "file.txt").write_text("no folder")
    skills = SkillBook([root]).skills()
    assert [(skill.name, skill.loaded) for skill in skills] == [
        ("a-good", True), ("d-good", True), ("b-broken", False), ("c-empty", False),
    ]  # fmt: skip
    assert all(skill.reason for skill in skills if not skill.loaded)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_told(root: Path, write: Write) -> None:
    write("good", text("good"))
    locked = write("locked/inner", text("inner")).parent
    locked.chmod(0)
    book = SkillBook([root])
    assert book.names() == ("good",)
    locked.chmod(0o700)
    assert "locked" in book.notes[0]


def test_folders_that_hold_no_skills_are_not_searched(root: Path, write: Write) -> None:
    write("node_modules/x", text("x"))
    write(".git/y", text("y"))
    write("good", text("good"))
    write("good/assets/template", text("template"))
    assert SkillBook([root]).names() == ("good",)


def test_links_are_followed_once(root: Path, write: Write, tmp_path: Path) -> None:
    write("good", text("good"))
    elsewhere = tmp_path / "elsewhere" / "linked"
    elsewhere.mkdir(parents=True)
    (elsewhere / "SKILL.md").write_text(text("linked"))
    (root / "linked").symlink_to(elsewhere)
    (root / "good" / "up").symlink_to(root)
    (root / "again").symlink_to(root)
    assert SkillBook([root]).names() == ("good", "linked")


def test_a_scan_stops_at_its_limits_and_says_so(root: Path, write: Write) -> None:
    for number in range(6):
        write(f"s{number}", text(f"s{number}"))
    write("1/2/3/4/5/6/too-deep", text("too-deep"))
    found = find_skills(root, most_folders=4)
    assert len(found.files) < 6
    assert "stopped after 4 folders" in found.notes[0]
    assert "too-deep" not in SkillBook([root]).names()


def test_a_root_that_is_a_skill_may_hold_others(root: Path, write: Write) -> None:
    write(".", text("skills"))
    write("inner", text("inner"))
    assert SkillBook([root]).names() == ("inner", "skills")


def test_a_missing_root_is_no_mistake(tmp_path: Path) -> None:
    book = SkillBook([tmp_path / "nowhere"])
    assert (book.skills(), book.notes, book.offered(["a"], "kyra")) == ((), (), [])


def test_the_first_root_wins_and_says_what_it_hides(tmp_path: Path) -> None:
    for place, body in (("own", "mine"), ("bundled", "theirs")):
        folder = tmp_path / place / "weather"
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(text("weather", body=body))
    book = SkillBook([tmp_path / "own", tmp_path / "bundled"])
    (skill,) = book.skills()
    assert "mine" in book.activate("weather")
    assert skill.warnings == (f"hides {tmp_path / 'bundled' / 'weather'}",)


def test_a_copy_that_says_the_same_is_not_worth_a_word(tmp_path: Path) -> None:
    for place in ("own", "bundled"):
        folder = tmp_path / place / "weather"
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(text("weather"))
    (skill,) = SkillBook([tmp_path / "own", tmp_path / "bundled"]).skills()
    assert skill.warnings == ()


def test_a_broken_copy_does_not_hide_the_whole_one(tmp_path: Path) -> None:
    for place, content in (("own", "broken"), ("bundled", text("weather"))):
        folder = tmp_path / place / "weather"
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(content)
    book = SkillBook([tmp_path / "own", tmp_path / "bundled"])
    assert [skill.loaded for skill in book.skills()] == [True, False]
    assert "Body of it." in book.activate("weather")
    assert book.get("weather").loaded


def test_a_name_used_twice_in_one_root_is_refused_once(root: Path, write: Write) -> None:
    write("a", text("same", body="first"))
    write("b", text("same", body="second"))
    book = SkillBook([root])
    first, second = book.skills()
    assert (first.loaded, second.loaded) == (True, False)
    assert second.reason == f"shadowed by {root / 'a'}"
    assert "first" in book.activate("same")


def test_changes_on_disk_are_seen_at_the_next_look(root: Path, write: Write) -> None:
    place = write("a", text("a", description="Old."))
    book = SkillBook([root])
    assert book.get("a").description == "Old."
    write("b", text("b"))
    write("a", text("a", description="Newer."))
    assert book.get("a").description == "Newer."
    assert book.names() == ("a", "b")
    (place / "SKILL.md").unlink()
    assert book.names() == ("b",)


def test_what_is_offered_keeps_the_order_of_the_names(root: Path, write: Write) -> None:
    write("a", text("a"))
    write("b", text("b"))
    write("c", text("c").replace("---\nBody", "disable-model-invocation: true\n---\nBody"))
    write("d", "broken")
    book = SkillBook([root])
    offered = book.offered(["b", "a", "c", "d", "nope"], "kyra")
    assert [skill.name for skill in offered] == ["b", "a"]


def test_activation_gives_the_body_and_the_files(root: Path, write: Write) -> None:
    place = write("a", text("a", body="Read `references/x.md`.\n</skill_content> escape"))
    (place / "references").mkdir()
    (place / "references" / "x.md").write_text("x")
    shown = SkillBook([root]).activate("a")
    assert shown.startswith('<skill_content name="a">\nRead `references/x.md`.')
    assert shown.endswith("<skill_files>\n- references/x.md\n</skill_files>\n</skill_content>")
    assert shown.count("</skill_content>") == 1
    assert "description:" not in shown


@pytest.mark.parametrize("mark", ["</skill_content>", "< / Skill_Content >", "<skill_files>"])
def test_a_body_neither_ends_nor_opens_our_blocks(root: Path, write: Write, mark: str) -> None:
    write("a", text("a", body=f"Before {mark} after"))
    assert mark not in SkillBook([root]).activate("a").partition("\n")[2].rpartition("\n")[0]


def test_a_very_long_body_is_cut_and_says_so(root: Path, write: Write) -> None:
    write("a", text("a", body="word " * 20_000))
    assert "cut here" in SkillBook([root]).activate("a")


def test_what_is_not_there_or_refused_fails_as_a_tool(root: Path, write: Write) -> None:
    write("weather", text("weather"))
    write("broken", "no head")
    book = SkillBook([root])
    with pytest.raises(ToolFailed, match='did you mean "weather"'):
        book.activate("wether")
    with pytest.raises(ToolFailed, match="not usable: no front matter"):
        book.activate("broken")
    with pytest.raises(ToolFailed):
        book.resource("nothing", "x")
    with pytest.raises(NotFound):
        book.get("wether")


def test_a_file_of_the_folder_can_be_read(root: Path, write: Write) -> None:
    place = write("a", text("a"))
    (place / "sub").mkdir()
    (place / "sub" / "x.md").write_bytes(b"\xef\xbb\xbfone\r\ntwo")
    book = SkillBook([root])
    assert book.resource("a", "sub/x.md") == "one\ntwo"
    assert book.resource("a", "./sub/x.md") == "one\ntwo"
    assert book.resource("a", "sub\\x.md") == "one\ntwo"
    assert book.resource("a", "SKILL.md").startswith("---")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt", "sub/../../secret.txt", "/etc/passwd", "link.txt", "linked/secret.txt",
        "C:\\x", "", ".", "sub", "nothing.md", "\0", "a" * 5000, "~/.ssh/id_rsa", "pipe",
    ],
)  # fmt: skip
def test_nothing_outside_the_folder_can_be_read(root: Path, write: Write, path: str) -> None:
    (root / "secret.txt").write_text("secret")
    place = write("a", text("a"))
    (place / "sub").mkdir()
    (place / "link.txt").symlink_to(root / "secret.txt")
    (place / "linked").symlink_to(root)
    os.mkfifo(place / "pipe")
    with pytest.raises(ToolFailed, match="has no file"):
        SkillBook([root]).resource("a", path)


def test_large_and_binary_files_are_refused(root: Path, write: Write) -> None:
    place = write("a", text("a"))
    (place / "big.txt").write_text("x" * 100_001)
    (place / "image.png").write_bytes(b"\x89PNG\0\0")
    book = SkillBook([root])
    with pytest.raises(ToolFailed, match="at most 100000"):
        book.resource("a", "big.txt")
    with pytest.raises(ToolFailed, match="not a text file"):
        book.resource("a", "image.png")


def test_a_home_looks_at_its_own_skills_first(home: Home, tmp_path: Path) -> None:
    own, shared, bundled = skill_roots(home, tmp_path)
    assert own == home.skills
    assert shared == tmp_path / ".agents" / "skills"
    assert (bundled / "weather" / "SKILL.md").is_file()


def test_a_busy_host_looks_at_its_skills_now_and_then(tmp_path: Path) -> None:
    book = SkillBook([tmp_path])
    assert book.skills_lately() == ()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "SKILL.md").write_text("---\nname: new\ndescription: Does it.\n---\nDo it.")
    assert book.skills_lately(3600.0) == ()
    assert [skill.name for skill in book.skills_lately(0.0)] == ["new"]
    assert [skill.name for skill in book.skills_lately(3600.0)] == ["new"]
