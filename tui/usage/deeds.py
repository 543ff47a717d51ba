"""What can be done where one sees what was used."""

from ..frame.deeds import Deed, Part

USAGE = (
    Deed(id="usage.by", label="what", keys="b", action="step_by(1)", shown="b, p", foot=10,
         what="by day, agent, model, tier, conversation, strategy; of which time; Shift: back"),
    Deed(id="usage.by_back", what="", keys="B", action="step_by(-1)"),
    Deed(id="usage.period", what="", label="when", keys="p", action="step_period(1)", foot=11),
    Deed(id="usage.period_back", what="", keys="P", action="step_period(-1)"),
    Deed(id="usage.one", what="on an agent: that one alone, day by day", label="this one alone",
         keys="enter", foot=12),
    Deed(id="usage.clear", what="everybody again", label="everybody", keys="x", action="clear",
         foot=13),
    Deed(id="usage.cross", what="", keys="tab,shift+tab", action="cross", priority=True),
    Deed(id="usage.copy", what="copy the table", label="copy", keys="y", action="copy", foot=20),
)  # fmt: skip
PART = Part("What was used", USAGE)
