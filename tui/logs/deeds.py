"""What can be done where one reads the log."""

from ..frame.deeds import Deed, Part

LOGS = (
    Deed(id="logs.search", label="search", keys="slash", action="search", foot=12,
         what="only lines with these words; Enter or Down to the lines", priority=True),
    Deed(id="logs.level", label="level", keys="l", action="step_level(1)", shown="l",
         what="only warnings and errors, only errors, all; Shift: back", foot=13),
    Deed(id="logs.level_back", what="", keys="L", action="step_level(-1)"),
    Deed(id="logs.follow", what="follow what is added, or stay here", label="follow", keys="f",
         action="follow", foot=11),
    Deed(id="logs.wrap", what="whole lines, or one row each", label="whole lines", keys="w",
         action="wrap", foot=14),
    Deed(id="logs.read", what="one entry as a whole; Esc back", label="read", keys="enter",
         foot=10),
    Deed(id="logs.cross", what="", keys="tab,shift+tab", action="cross", priority=True),
    Deed(id="logs.clear", what="no filters", label="no filters", keys="x", action="clear",
         foot=15),
    Deed(id="logs.copy", what="copy the entry", label="copy", keys="y", action="copy", foot=20),
)  # fmt: skip
PART = Part("The log", LOGS)
