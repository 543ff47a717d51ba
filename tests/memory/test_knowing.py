"""Whether lines answer a question: by a model's word."""

from skill_agent.memory.recall.knowing import READ, answered
from skill_agent.models.scripted import ScriptedModel


async def test_a_model_reads_the_best_lines_and_says_yes_or_no() -> None:
    model = ScriptedModel(["yes", "no"])
    lines = [f"line {number}" for number in range(9)]
    assert await answered(model, "Which line?", lines) > 0.5
    assert await answered(model, "Which line?", lines) < 0.5
    (asked, _) = model.requests
    told = asked.messages[-1].content
    assert f"line {READ - 1}" in told
    assert f"line {READ}" not in told
