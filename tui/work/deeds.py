"""What can be done with long work in the background."""

from ..frame.deeds import Deed, Part

WORK = (
    Deed(id="work.pause", what="pause the chosen one, or have it go on", label="pause, go on",
         keys="p", action="pause", foot=10),
    Deed(id="work.stop", what="stop it; what there is of it stays", label="stop", keys="c",
         action="stop", foot=11),
    Deed(id="work.again", what="do it once more after it failed or was stopped",
         label="once more", keys="r", action="again", foot=12),
    Deed(id="work.copy", what="copy the result", label="copy the result", keys="y",
         action="copy", foot=13),
)  # fmt: skip
PART = Part("Work in the background", WORK)
