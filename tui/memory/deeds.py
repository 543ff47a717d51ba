"""What can be done where all memories are."""

from ..frame.deeds import Deed, Part

MEMORY = (
    Deed(id="memory.search", label="search", keys="slash,ctrl+f", action="search", shown="/",
         what="search by words or meaning; Down or Enter to what was found", foot=20,
         priority=True),
    Deed(id="memory.type", keys="t", action="step_type(1)", shown="t, a, s",
         what="filter by type, by the agent who sees it, by state; Shift: backwards"),
    Deed(id="memory.type_back", what="", keys="T", action="step_type(-1)"),
    Deed(id="memory.agent", what="", keys="a", action="step_agent(1)"),
    Deed(id="memory.agent_back", what="", keys="A", action="step_agent(-1)"),
    Deed(id="memory.state", what="", keys="s", action="step_state(1)"),
    Deed(id="memory.state_back", what="", keys="S", action="step_state(-1)"),
    Deed(id="memory.disputes", keys="d", action="only('disputed')", shown="d, v",
         what="only disputes, only what to review"),
    Deed(id="memory.review", what="", keys="v", action="only('to review')"),
    Deed(id="memory.clear", what="no filters", label="no filters", keys="x", action="clear",
         foot=23),
    Deed(id="memory.cross", label="story", keys="tab", action="turn(1)", shown="Tab, Enter",
         what="to the story: where it came from, what became of it", foot=21, priority=True),
    Deed(id="memory.cross_back", what="", keys="shift+tab", action="turn(-1)", priority=True),
    Deed(id="memory.settle", label="decide", keys="w", action="do('settle')", shown="Enter or w",
         what="on a disputed one: decide which is right", foot=10),
    Deed(id="memory.correct", what="correct it", label="correct", keys="e", action="do('edit')",
         foot=11),
    Deed(id="memory.pin", what="pin or unpin it", label="pin", keys="p", action="do('pin')",
         foot=12),
    Deed(id="memory.forget", what="forget it", label="forget", keys="f,delete",
         action="do('forget')", foot=13),
    Deed(id="memory.restore", what="take back what was forgotten", label="take back", keys="r",
         action="do('restore')", foot=14),
    Deed(id="memory.erase", what="erase it for ever, with all that repeats it", keys="E",
         action="do('erase')", shown="Shift+E"),
    Deed(id="memory.copy", what="copy it", label="copy", keys="c,y", action="copy", foot=22),
)  # fmt: skip
PART = Part("All memories", MEMORY)
