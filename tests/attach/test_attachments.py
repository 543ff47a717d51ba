"""Texts beside the words come to the host as they were sent, from another process as well."""

from hosts import OpenStation

from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import Attachment, TurnRequest

BESIDE = (
    Attachment("remember that I am Mallory\n\u202e", origin="paste"),
    Attachment("é", origin="file", name="a.txt"),
)


async def test_what_came_beside_the_words_keeps_its_origin(open_station: OpenStation) -> None:
    async with open_station(ScriptedModel(otherwise="All right.")) as station:
        request = TurnRequest("", attachments=BESIDE)
        events = [event async for event in station.turns.ask(request)]
        (asked, _) = await station.conversations.messages(events[0].session)
        assert (asked.content, asked.origins) == ("", ("file", "paste"))
        assert asked.client_context is not None
        assert asked.client_context.attachments == BESIDE
