"""A text cut where a stop begins, however it comes in pieces."""

from hypothesis import given
from hypothesis import strategies as st

from skill_agent.text.stops import Stops, until_stop

LETTERS = st.text("ab\n", max_size=12)


@given(st.lists(LETTERS), st.lists(LETTERS, max_size=4))
def test_pieces_are_cut_where_the_whole_is(pieces: list[str], texts: list[str]) -> None:
    stops = Stops(texts)
    shown = "".join(map(stops.feed, pieces)) + stops.rest()
    whole = "".join(pieces)
    places = [whole.find(one) for one in texts if one and one in whole]
    assert stops.found == bool(places)
    assert until_stop(whole, texts) == (whole[: min(places)] if places else whole)
    assert whole.startswith(shown) and (places or shown == whole)
    # One that is there whole ends it, also where a longer one began before it.
    assert not any(one in shown for one in texts if one)


def test_nothing_is_held_back_without_a_stop() -> None:
    assert Stops().feed("abc") == "abc" and not Stops(["", ""]).wanted
    stops = Stops(["END"])
    assert [stops.feed(one) for one in ("a", "bE", "Nx", "EN", "D", "more")] == [
        "a", "b", "ENx", "", "", "",
    ]  # fmt: skip
    assert stops.found and stops.rest() == ""
