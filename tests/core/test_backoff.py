"""How long is waited after failures."""

from skill_agent.values.backoff import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    pauses = Backoff(0.5, 60.0)
    assert [pauses.after(failures) for failures in range(1, 10)] == [
        0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0,
    ]  # fmt: skip
    assert pauses.after(100_000) == 60.0
    assert pauses.after(0) == 0.5
