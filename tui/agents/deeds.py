"""What can be done with agents."""

from ..frame.deeds import Deed, Part

AGENTS = (
    Deed(id="agents.talk", what="begin a talk with it", label="talk", keys="enter",
         shown="Enter, t", foot=10),
    Deed(id="agents.talk_too", what="", keys="t", action="talk"),
    Deed(id="agents.new", what="make a new agent", label="new", keys="n", action="new", foot=11),
    Deed(id="agents.model", what="choose the model it answers with", label="model", keys="m",
         action="model", foot=12),
    Deed(id="agents.clone", what="make another of its kind, without its memories", label="clone",
         keys="c", action="clone", foot=13),
    Deed(id="agents.pause", what="pause it, or have it active again", label="pause", keys="p",
         action="pause", foot=14),
    Deed(id="agents.archive", what="archive it, or take it back", label="archive", keys="a",
         action="archive", foot=15),
    Deed(id="agents.revoke", what="take back what it may always do unasked", label="take back",
         keys="v", action="revoke", foot=16),
    Deed(id="agents.follow", what="on a line of its page: to the memories, the talk",
         shown="Tab, then Enter"),
    Deed(id="agents.copy", what="copy what it is told of itself", label="copy", keys="y",
         action="copy"),
)  # fmt: skip
PART = Part("Agents", AGENTS)
