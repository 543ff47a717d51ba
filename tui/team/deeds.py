"""What can be done where the team's work is seen."""

from ..frame.deeds import Deed, Part

TEAM = (
    Deed(id="team.read", what="all that was said in a task; Esc back to the list", label="read",
         keys="enter", foot=10),
    Deed(id="team.cross", what="", keys="tab,shift+tab", action="cross", priority=True),
    Deed(id="team.begin", what="begin something together: a goal, a way of working, who",
         label="begin together", keys="n", action="begin", foot=14),
    Deed(id="team.stop", what="stop the chosen one with all that is part of it", label="stop",
         keys="c", action="do('cancel')", foot=11),
    Deed(id="team.write", what="write to the agent that is at work", label="write", keys="w",
         action="do('write')", foot=12),
    Deed(id="team.again", label="anew", keys="r", action="do('retry')", foot=13,
         what="begin anew what failed or was stopped; a collaboration goes on"),
    Deed(id="team.stop_all", what="stop all", label="stop all", keys="C", action="stop_all",
         foot=20),
    Deed(id="team.copy", what="copy the result", label="copy", keys="y", action="copy"),
)  # fmt: skip
PART = Part("What the team does", TEAM)
