"""What can be done with skills."""

from ..frame.deeds import Deed, Part

SKILLS = (
    Deed(id="skills.read", what="read it; Esc back to the list", label="read", keys="enter",
         foot=10),
    Deed(id="skills.cross", what="", keys="tab,shift+tab", action="cross", priority=True),
    Deed(id="skills.approve", what="trust it as it is now: its words count as yours",
         label="approve", keys="a", action="approve", foot=11),
    Deed(id="skills.revoke", what="take that back", label="revoke", keys="r", action="revoke",
         foot=12),
    Deed(id="skills.tool", what="make a tool of it for an agent, or take the tool away",
         label="tool for …", keys="t", action="tool", foot=13),
    Deed(id="skills.search", what="search", label="search", keys="slash", action="search",
         foot=14),
    Deed(id="skills.filter", what="all, what waits for you, what is refused, what is in use",
         keys="f", action="filter"),
    Deed(id="skills.clear", what="clear search and filter", label="clear", keys="x",
         action="clear", foot=15),
    Deed(id="skills.copy", what="copy its text", label="copy", keys="y", action="copy"),
)  # fmt: skip
PART = Part("Skills", SKILLS)
