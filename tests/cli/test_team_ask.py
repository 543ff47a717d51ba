"""`ska team ask`: several agents on one message, told first and asked about where it takes long."""

from dataclasses import replace

from command_line import Ska, Terminal

from skill_agent.models.scripted import ScriptedModel

CODE = ("team", "ask", "please review my code", "--strategy", "cascade")


def test_several_answer_where_it_is_switched_on(ska: Ska) -> None:
    refused = ska(*CODE)
    assert refused.code == 2 and "ensemble = true" in refused.err
    text = ska.home.config.read_text("utf-8")
    ska.home.config.write_text(text.replace("# ensemble = false", "ensemble = true"), "utf-8")

    assert ska(*CODE[:-1], "chaos").code == 2
    done = ska(*CODE)
    assert (done.code, done.out) == (0, "All right.\n")
    assert "1. Luke: answer" in done.err and "at most" in done.err

    ska.model = ScriptedModel(otherwise="")
    done = ska(*CODE, "--json")
    assert done.code == 1 and "no answer of luke" in done.err
    assert (done.json["text"], done.json["agent"], done.json["responses"]) == ("", None, [])

    ska.model = ScriptedModel()
    ska.model.info = replace(ska.model.info, size_bytes=40_000_000_000)
    done = ska(*CODE, person=Terminal(["n"]))
    assert done.code == 1 and "nobody was asked" in done.err and "min" in done.err
