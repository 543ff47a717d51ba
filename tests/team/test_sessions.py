"""Agents that work on one goal: what each pattern asks of whom, and what comes of it."""

import json

from collaborating import GOAL, Came, Stage, agreeable, asked, staged
from fakes import OpenRuntime, StepClock

from skill_agent.models.scripted import ScriptedModel
from skill_agent.text.language import spoken
from skill_agent.values import (
    PATTERNS,
    ModelProfile,
    NewCollaboration,
    NewTask,
    Participant,
    Pattern,
    Purge,
)

LARGE = ModelProfile()


async def talk(stage: Stage, session: str | None) -> list[tuple[str, str]]:
    found = await stage.runtime.conversations.messages(session or "")
    return [(one.role, one.content) for one in found]


async def test_a_lead_and_its_workers(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock) as stage:
        done = await stage.run("supervisor_worker", "kyra", "luke", "ada")
        assert (done.status, done.error) == ("completed", "")
        assert done.stages_completed == ("work", "synthesis")
        luke = stage.played.asked("luke")
        assert luke.instructions.startswith(GOAL) and "code review, debugging" in luke.instructions
        assert luke.context == "" and luke.collaboration == done.id
        kyra = stage.played.asked("kyra")
        assert "Luke (code review):\nluke on work" in kyra.context
        assert "Ada (data analysis):\nada on work" in kyra.context
        assert kyra.origins == ("agent",)
        assert done.final_output == (
            "kyra on synthesis\n\nContributions: Luke (code review), Ada (data analysis)."
        )
        assert done.total_tokens == 30
        assert [one.status for one in done.participants] == ["completed"] * 3
        states = list(dict.fromkeys(one.status for one in stage.told))
        assert states == ["planning", "active", "synthesizing", "completed"]


async def test_its_result_is_a_conversation_named_by_the_goal(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        done = await stage.run("brainstorm", "kyra", "luke", "ada")
        (session,) = await stage.runtime.conversations.list()
        assert (session.id, session.title, session.agent) == (done.conversation, GOAL, "kyra")
        assert await talk(stage, session.id) == [("user", GOAL), ("assistant", done.final_output)]
        (state,) = await stage.runtime.turns.of_session(session.id)
        assert (state.id, state.state, state.agent) == (done.id, "finished", "kyra")


async def test_its_result_is_given_to_the_conversation_it_came_from(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async def reads_the_web(new: NewTask) -> Came:
        return Came(text=f"{new.assigned_to} read", origins=("web",))

    async with staged(open_runtime, clock, reads_the_web) as stage:
        stage.model.add("Hello.")
        async for _ in stage.runtime.ask("Hi"):
            pass
        (session,) = await stage.runtime.conversations.list()
        done = await stage.run("pipeline", "luke", "kyra", conversation="latest")
        assert (
            done.conversation == session.id and len(await stage.runtime.conversations.list()) == 1
        )
        *_, goal, reply = await stage.runtime.conversations.messages(session.id)
        assert (goal.content, goal.origins) == (GOAL, ())
        assert (reply.content, reply.agent) == (done.final_output, "kyra")
        assert set(reply.origins) == {"web", "agent"}, "taint crosses"
        assert set(stage.played.asked("kyra").origins) == {"web", "agent"}
        found = await stage.sessions.get(done.id)
        assert found == done


async def test_what_an_agent_asked_for_is_no_word_of_the_persons(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        stage.model.add("Hello.")
        async for _ in stage.runtime.ask("Hi"):
            pass
        (session,) = await stage.runtime.conversations.list()
        done = await stage.run(
            "delegation",
            *("kyra", "luke"),
            conversation=session.id,
            parent_turn="0198f2a4-0000-7000-8000-000000000001",
            created_by="kyra",
            origins=("agent",),
        )
        roles = [role for role, _ in await talk(stage, session.id)]
        assert roles == ["user", "assistant", "assistant"]
        assert stage.played.asked("luke").origins == ("agent",)
        assert stage.told[0].parent == done.parent_turn


async def test_a_large_lead_plans_the_parts(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock, profile=LARGE) as stage:
        done = await stage.run("supervisor_worker", "kyra", "luke", "ada")
        assert [one.stage for one in done.plan] == ["plan", "work", "work", "synthesis"]
        assert stage.played.asked("luke").instructions.endswith("Look at roots")
        assert "agent" in stage.played.asked("luke").origins, "no person wrote that part"
        assert "data analysis" in stage.played.asked("ada").instructions, "code's, for want of one"
        assert stage.played.asked("ada").origins == ()


async def test_parts_that_a_person_gives_are_not_planned(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    people = (
        Participant(slug="kyra", role="lead"),
        Participant(slug="luke", task="Look at the soil"),
    )
    async with staged(open_runtime, clock, profile=LARGE) as stage:
        await stage.sessions.run(NewCollaboration(GOAL, participants=people))
        assert [one.stage for one in stage.played.seen] == ["work", "synthesis"]
        assert stage.played.asked("luke").instructions.endswith("Your part of it: Look at the soil")


async def test_each_stage_of_a_pipeline_gets_all_before_it(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        done = await stage.run("pipeline", "luke", "ada", "max", lead="luke")
        first, second, third, last = stage.played.seen
        assert first.context == ""
        assert "luke on stage 1" in second.context
        assert "luke on stage 1" in third.context and "ada on stage 2" in third.context
        assert (last.assigned_to, last.stage) == ("luke", "synthesis")
        assert "max on stage 3" in last.context
        assert done.final_output.startswith("luke on synthesis")
        assert stage.played.most == 1


async def test_a_pipeline_whose_last_stage_leads_ends_with_it(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        done = await stage.run("pipeline", "luke", "ada")
        assert done.lead == "ada" and done.stages_completed == ("stage 1", "stage 2")
        assert done.final_output == "ada on stage 2\n\nContributions: Luke (code review)."


async def test_a_review_goes_on_until_it_is_approved(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    verdicts = [
        {"approved": False, "comments": "Too long."},
        {"approved": True, "comments": ""},
    ]

    async def play(new: NewTask) -> str:
        return json.dumps(verdicts.pop(0)) if new.response_schema else f"text of {new.stage}"

    async with staged(open_runtime, clock, play) as stage:
        done = await stage.run("peer_review", "ada", "luke")
        stages = ("draft 1", "review 1", "draft 2", "review 2")
        assert done.stages_completed == stages
        again = stage.played.asked("ada", "draft 2")
        assert "text of draft 1" in again.context and "Too long." in again.context
        assert "approved" not in again.context, "a verdict is read as words"
        assert done.final_output == "text of draft 2\n\nContributions: Luke (code review)."


async def test_a_review_ends_after_its_rounds(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async def play(new: NewTask) -> str:
        told = {"approved": False, "comments": "Not yet."}
        return json.dumps(told) if new.response_schema else "text"

    async with staged(open_runtime, clock, play) as stage:
        done = await stage.run("peer_review", "ada", "luke", max_rounds=2)
        assert len(stage.played.seen) == 4 and done.status == "completed"
        assert "Not approved after 2 rounds. The last remarks: Not yet." in done.final_output


async def test_ideas_are_independent(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock) as stage:
        done = await stage.run("brainstorm", "kyra", "luke", "ada")
        ideas = [one for one in stage.played.seen if one.stage == "ideas"]
        assert [one.assigned_to for one in ideas] == ["luke", "ada"]
        assert all(one.context == "" for one in ideas)
        choice = stage.played.asked("kyra")
        assert "luke on ideas" in choice.context and "ada on ideas" in choice.context
        assert done.stages_completed == ("ideas", "choice")


async def test_of_two_both_have_ideas(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock) as stage:
        await stage.run("brainstorm", "kyra", "luke")
        stages = [(one.assigned_to, one.stage) for one in stage.played.seen]
        assert stages == [("kyra", "ideas"), ("luke", "ideas"), ("kyra", "choice")]


async def test_votes_that_agree_are_not_asked_twice(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        done = await stage.run("consensus", "kyra", "luke", "ada")
        assert done.stages_completed == ("vote 1", "resolution")
        assert "Apple (3 of 3 votes)." in stage.played.asked("kyra", "resolution").instructions
        assert "Apple (3 of 3 votes)." in done.final_output


async def vote_of(new: NewTask, first: dict[str, str], second: dict[str, str]) -> str:
    if new.response_schema is None:
        return "The team has decided."
    chosen = (first if new.stage == "vote 1" else second)[new.assigned_to]
    return json.dumps({"choice": chosen, "reason": f"because {new.assigned_to} says so"})


async def test_votes_that_differ_are_asked_again_with_the_reasons(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async def play(new: NewTask) -> str:
        first = {"kyra": "Apple", "luke": "plum.", "ada": "Plum"}
        return await vote_of(new, first, {**first, "kyra": "plum"})

    async with staged(open_runtime, clock, play) as stage:
        done = await stage.run("consensus", "kyra", "luke", "ada")
        again = stage.played.asked("luke", "vote 2")
        assert "Apple: because kyra says so" in again.context
        assert again.response_schema is not None
        assert again.response_schema["properties"]["choice"] == {"enum": ["Apple", "plum", "Plum"]}
        assert "plum (3 of 3 votes)." in done.final_output


async def test_a_tie_is_said(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async def play(new: NewTask) -> str:
        votes = {"kyra": "Apple", "luke": "Plum"}
        return await vote_of(new, votes, votes)

    async with staged(open_runtime, clock, play) as stage:
        done = await stage.run("consensus", "kyra", "luke")
        assert "A tie: Apple 1, Plum 1." in done.final_output


async def test_one_task_for_one_agent(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock) as stage:
        done = await stage.run("delegation", "kyra", "luke")
        assert len(stage.played.seen) == 1
        assert done.final_output == "According to Luke (code review):\nluke on work"
        alone = await stage.run("delegation", "luke")
        assert alone.final_output == "luke on work"


async def test_the_persons_material_goes_with_every_first_step(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    async with staged(open_runtime, clock) as stage:
        await stage.run("brainstorm", "kyra", "luke", "ada", context="The soil is clay.")
        assert all("The soil is clay." in one.context for one in stage.played.seen)


async def test_long_results_are_cut_alike(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async def play(new: NewTask) -> str:
        lengths = {"luke": 40_000, "ada": 40}
        return "word " * (lengths.get(new.assigned_to, 10) // 5)

    async with staged(open_runtime, clock, play) as stage:
        await stage.run("brainstorm", "kyra", "luke", "ada")
        read = stage.played.asked("kyra").context
        assert len(read) < 4 * 8192 // 2 and "characters left out" in read
        assert read.count("word ") > 1_000 and read.rstrip().endswith("word " * 7 + "word")


async def test_in_the_language_of_the_goal(open_runtime: OpenRuntime, clock: StepClock) -> None:
    german = "Welcher Baum passt in einen kleinen Garten mit lehmigem Boden?"
    others = "Beiträge: Luke (code review)"
    wanted: dict[Pattern, str] = {
        "supervisor_worker": others,
        "pipeline": others,
        "peer_review": others,
        "brainstorm": others,
        "consensus": "Apple (2 von 2 Stimmen).",
        "delegation": "Laut Luke (code review):",
    }
    async with staged(open_runtime, clock) as stage:
        for pattern, told in wanted.items():
            people = ("luke", "kyra") if pattern == "pipeline" else ("kyra", "luke")
            done = await stage.run(pattern, *people, goal=german)
            assert told in done.final_output
        assert all(one.instructions.startswith(german) for one in stage.played.seen)


def test_every_language_says_the_same() -> None:
    names = {one.code: set(one.tables["together"]) for one in spoken()}
    assert len(names) == 10 and all(found == names["en"] for found in names.values())
    for one in spoken():
        english = dict(next(each for each in spoken() if each.code == "en").tables["together"])
        for key, line in one.tables["together"].items():
            places = {part.partition("}")[0] for part in line.split("{")[1:]}
            assert places == {part.partition("}")[0] for part in english[key].split("{")[1:]}, key


async def test_what_is_kept_holds_no_text_but_the_goal(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    """Through real turns: outputs are read from the conversations of their tasks."""
    model = ScriptedModel(otherwise="The walnut is too large.", profile=ModelProfile())
    async with open_runtime(model) as runtime:
        done = await runtime._team.sessions.run(asked("brainstorm", "kyra", "luke", "ada"))
        assert done.final_output.startswith("The walnut is too large.")
        rows = await runtime.ledger.log(done.id, kinds=("team.collaboration",))
        assert not any("walnut" in json.dumps(row.new) for row in rows)
        assert await runtime.collaborations.get(done.id) == done
        archived = await runtime.ledger.sessions(archived=True)
        assert len(archived) == 3, "tasks' conversations stand on no list"
        assert len(await runtime.conversations.list()) == 1
        await runtime.ledger.purge(
            Purge(sessions=tuple(one.id for one in archived), actor="person")
        )
        left = await runtime.collaborations.get(done.id)
        assert [one.output for one in left.stage_outputs] == ["", "", ""]
        assert left.final_output == done.final_output


async def test_it_goes_with_its_conversation(open_runtime: OpenRuntime, clock: StepClock) -> None:
    async with staged(open_runtime, clock) as stage:
        secret = "Which tree for the secret garden?"
        done = await stage.run("brainstorm", "kyra", "luke", goal=secret, context="a secret map")
        kept = await stage.run("brainstorm", "kyra", "luke")
        await stage.runtime.ledger.purge(Purge(sessions=(done.conversation or "",), actor="person"))
        rows = await stage.runtime.ledger.log(kinds=("team.collaboration",), limit=1_000)
        assert not any("secret" in json.dumps(row.new) for row in rows)
        assert await stage.sessions.list() == [kept]
        found = await stage.runtime.ledger.occurrences(["secret"])
        assert not found["secret"].notes and not found["secret"].messages
        assert (await stage.runtime.memory.verify()).problems == ()


async def test_played_agreeably_everything_completes(
    open_runtime: OpenRuntime, clock: StepClock
) -> None:
    """With nobody named: the default agent leads, colleagues stand in for it by rank."""
    async with staged(open_runtime, clock, agreeable) as stage:
        for pattern in PATTERNS:
            done = await stage.run(pattern)
            assert (done.status, done.lead) == ("completed", "kyra"), pattern
        listed = await stage.sessions.list(limit=4)
        assert [one.pattern for one in listed] == [*reversed(PATTERNS)][:4]
        last = listed[-1]
        older = await stage.sessions.list(before=(last.created_at, last.id))
        assert [one.pattern for one in older] == [*reversed(PATTERNS)][4:]
