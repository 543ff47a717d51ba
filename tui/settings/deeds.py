"""What can be done with settings."""

from ..frame.deeds import Deed, Part

SETTINGS = (
    Deed(id="settings.edit", what="change it: switch, choose or write", label="change",
         keys="enter", foot=10),
    Deed(id="settings.unset", what="back to its default", label="default", keys="u,delete",
         action="unset", foot=11),
    Deed(id="settings.search", label="search", keys="slash", action="search", foot=12,
         what="search in keys, meanings and values; Enter or Down to what was found",
         priority=True),
    Deed(id="settings.mine", what="only what is not as it comes", label="only yours", keys="m",
         action="mine", foot=13),
    Deed(id="settings.clear", what="all settings", label="all", keys="x", action="clear", foot=14),
    Deed(id="settings.cross", what="to the sections, the settings, what one means", keys="tab",
         action="turn(1)", priority=True),
    Deed(id="settings.cross_back", what="", keys="shift+tab", action="turn(-1)", priority=True),
    Deed(id="settings.again", what="read config.toml again", label="read again", keys="r",
         action="again", foot=21),
    Deed(id="settings.copy", what="copy its key and value", label="copy", keys="y", action="copy",
         foot=20),
)  # fmt: skip
PART = Part("Settings", SETTINGS)
