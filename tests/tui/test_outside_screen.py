"""What a program of another make tells of its work, on the screen."""

from stage import Make, StageRuntime, Stop, make

from skill_agent.events import DiffShown, PlanStep, PlanTold, ToolFinished, ToolStarted


def plan(*states: str) -> Make:
    texts = ("Read the test", "Mend the total")
    steps = tuple(
        PlanStep(text=text, state=state)  # type: ignore[arg-type]
        for text, state in zip(texts, states, strict=True)
    )
    return make(PlanTold, steps=steps)


async def test_a_plan_changes_in_its_place_and_a_change_is_with_its_call(sit) -> None:
    import asyncio

    go = asyncio.Event()
    runtime = StageRuntime(
        [
            [
                plan("in_progress", "pending"),
                "I look. ",
                Stop(go),
                plan("completed", "in_progress"),
                make(ToolStarted, call="c", tool="edit", arguments={"path": "shop/total.py"}),
                make(DiffShown, path="shop/total.py", before="a\nb\n", after="a\nc\n", call="c"),
                make(ToolFinished, call="c", tool="edit", ok=True, result="changed", seconds=0.2),
                "Mended.",
            ]
        ]
    )
    async with sit(runtime) as seat:
        await seat.say("mend it")
        await seat.until(lambda: "▸ Read the test" in seat.shown())
        assert "☐ Mend the total" in seat.shown()
        go.set()
        await seat.until(lambda: "Mended." in seat.shown())
        shown = seat.shown()
        assert "☑ Read the test" in shown
        assert shown.count("Read the test") == 1
        assert "+1 -1" in shown
        tool = seat.talk.query("ToolBlock").first()
        tool.open = True
        await seat.until(lambda: "+c" in seat.shown())
        assert "-b" in seat.shown()
