"""`ska summary` from the outside."""

from command_line import Ska


def test_a_day_is_summed_up_at_once(ska: Ska) -> None:
    assert ska("ask", "We decided to keep the old logo.").code == 0
    done = ska("summary", "--plain")
    assert done.code == 0, done.err
    assert "Decided\n- “We decided to keep the old logo.” [1, " in done.out
    made = ska("summary", "--plain", "--json").json
    assert [one["mark"] for one in made["points"]] == ["decided"]
    assert made["points"][0]["session"] == made["talks"][0]["id"]
    later = ska("summary", "--since", "2026-11-20T23:00:00Z", "--until", "2026-11-20T23:30:00Z")
    assert (later.code, "cannot begin" in later.err) == (2, True)


def test_what_is_no_time_and_no_language_is_refused(ska: Ska) -> None:
    assert ska("ask", "Hello").code == 0
    for arguments, told in (
        (("--since", "yesterday"), "no ISO 8601 time"),
        (("--language", "tlh"), "no words for 'tlh'"),
    ):
        done = ska("summary", *arguments)
        assert (done.code, told in done.err) == (2, True), done.err
