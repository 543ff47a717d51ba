"""Colours: two calm themes for dark and two for light terminals, and an accent for each agent.

An accent is a CSS class (`accent-0` …), so that a change of theme repaints by itself; names are
always shown beside colours, since `NO_COLOR` takes the colours away.

There are two greys to read, `foreground-muted` and the fainter `foreground-disabled`; both, and
every colour that words are written in, keep 4.5:1 on every ground there is, the chosen row too
(`tests/tui/test_contrast.py` looks at what is drawn).
"""

from typing import Any

from textual.theme import Theme

ACCENTS = 8

_DARK = ("#e3a877", "#7fb4dc", "#93c48b", "#d795bd", "#ab9fe6", "#6fc3b6", "#d8c474", "#e08d84")
_LIGHT = ("#7f4917", "#1b5c8a", "#316127", "#8c346a", "#5443a8", "#125f58", "#68540a", "#963528")


_WORDS = ("primary", "secondary", "accent", "success", "warning", "error")


def accent_variables(dark: bool) -> dict[str, str]:
    """`agent-0` … and `agent-none` to hex colours, readable on a dark or a light background."""
    colours = {f"agent-{index}": one for index, one in enumerate(_DARK if dark else _LIGHT)}
    return {**colours, "agent-none": "#4a5262" if dark else "#c9c5bb"}


def _theme(name: str, *, dark: bool, variables: dict[str, str], **colours: Any) -> Theme:
    """Words in a colour have the colour itself, not a mixture of Textual's."""
    words = {f"text-{kind}": colours[kind] for kind in _WORDS}
    return Theme(name=name, dark=dark, variables={**words, **variables}, **colours)


def _variables(
    *, ground: str, text: str, strong: str, muted: str, faint: str, chosen: str, border: str,
    selected: str, bars: tuple[str, str, str],
) -> dict[str, str]:  # fmt: skip
    """What Textual would mix by itself, and mixes too pale."""
    return {
        "text": text,
        "foreground-muted": muted,
        "foreground-disabled": faint,
        "text-muted": muted,
        "text-disabled": faint,
        "border": border,
        "block-cursor-background": chosen,
        "block-cursor-foreground": strong,
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": chosen,
        "block-cursor-blurred-foreground": strong,
        "input-selection-background": selected,
        "input-selection-foreground": strong,
        "screen-selection-background": selected,
        "screen-selection-foreground": strong,
        "scrollbar": bars[0],
        "scrollbar-hover": bars[1],
        "scrollbar-active": bars[2],
        "scrollbar-background": ground,
        "scrollbar-background-hover": ground,
        "scrollbar-background-active": ground,
        "scrollbar-corner-color": ground,
        "markdown-h1-color": strong,
        "markdown-h2-color": strong,
        "markdown-h3-color": text,
    }


DARK = _theme(
    "workstation",
    primary="#7fb4dc",
    secondary="#ab9fe6",
    accent="#e3a877",
    foreground="#d6dae2",
    background="#14161b",
    surface="#1a1d24",
    panel="#232731",
    success="#93c48b",
    warning="#dcb56c",
    error="#e58a87",
    dark=True,
    variables=_variables(
        ground="#14161b", text="#d6dae2", strong="#f2f4f8", muted="#a9b0be", faint="#9ca3af",
        chosen="#2a3345", border="#3a404d", selected="#2c4a66",
        bars=("#2b303b", "#3a404d", "#4a5262"),
    ),
)  # fmt: skip

CONTRAST = _theme(
    "workstation-contrast",
    primary="#8cc8ff",
    secondary="#c9bdff",
    accent="#ffc37d",
    foreground="#ffffff",
    background="#000000",
    surface="#0b0b0f",
    panel="#17171f",
    success="#9fe08f",
    warning="#ffd166",
    error="#ff9d94",
    dark=True,
    variables=_variables(
        ground="#000000", text="#ffffff", strong="#ffffff", muted="#d6d9e0", faint="#c3c7d0",
        chosen="#2a3550", border="#8a90a0", selected="#1f4f8a",
        bars=("#6a7080", "#9aa0b0", "#ffffff"),
    ),
)  # fmt: skip

LIGHT = _theme(
    "workstation-light",
    primary="#1c6090",
    secondary="#5443a8",
    accent="#884d1a",
    foreground="#2b2f38",
    background="#faf9f6",
    surface="#f1efea",
    panel="#e6e3dc",
    success="#35682b",
    warning="#6e580a",
    error="#a3302f",
    dark=False,
    variables=_variables(
        ground="#faf9f6", text="#2b2f38", strong="#16181d", muted="#4f545e", faint="#595c63",
        chosen="#dbe4ea", border="#c9c5bb", selected="#b9d4ea",
        bars=("#d9d5cb", "#c9c5bb", "#a9a59b"),
    ),
)  # fmt: skip

PAPER = _theme(
    "workstation-paper",
    primary="#1b5c8a",
    secondary="#5443a8",
    accent="#7f4917",
    foreground="#362f24",
    background="#f7f0e1",
    surface="#efe6d3",
    panel="#e6dbc4",
    success="#316127",
    warning="#68540a",
    error="#982c2c",
    dark=False,
    variables=_variables(
        ground="#f7f0e1", text="#362f24", strong="#1d180f", muted="#53493a", faint="#5a5142",
        chosen="#e2d6bd", border="#cbbd9f", selected="#c3d2d6",
        bars=("#d9ccb0", "#cbbd9f", "#a89a7c"),
    ),
)  # fmt: skip

OURS = (DARK, CONTRAST, LIGHT, PAPER)
AUTO = "auto"
"""In place of a name: dark or light as the terminal is."""
