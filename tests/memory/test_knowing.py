"""Whether lines answer a question: by the question's rarest pieces, and by a model's word."""

import numpy as np

from skill_agent.memory.recall.knowing import READ, answered, weakest
from skill_agent.models.scripted import ScriptedModel


def test_the_worst_met_of_the_rarest_pieces_counts() -> None:
    matches = np.array([[0.1, 0.2], [0.9, 0.3], [0.4, 0.8], [0.7, 0.1]], np.float32)
    weights = np.array([0.5, 5.0, 6.0, 4.0], np.float32)
    assert round(weakest(matches, weights), 3) == 0.7
    assert weakest(matches[:0], weights[:0]) == 1.0
    assert weakest(matches[:, :0], weights) == -1.0


async def test_a_model_reads_the_best_lines_and_says_yes_or_no() -> None:
    model = ScriptedModel(["yes", "no"])
    lines = [f"line {number}" for number in range(9)]
    assert await answered(model, "Which line?", lines) > 0.5
    assert await answered(model, "Which line?", lines) < 0.5
    (asked, _) = model.requests
    told = asked.messages[-1].content
    assert f"line {READ - 1}" in told
    assert f"line {READ}" not in told
