"""Colours: one calm theme for dark and one for light terminals, and an accent for each agent.

An accent is a CSS class (`accent-0` …), so that a change of theme repaints by itself; names are
always shown beside colours, since `NO_COLOR` takes the colours away.
"""

from textual.theme import Theme

ACCENTS = 8

_DARK = ("#e3a877", "#7fb4dc", "#93c48b", "#d795bd", "#ab9fe6", "#6fc3b6", "#d8c474", "#e08d84")
_LIGHT = ("#a4561a", "#1f6699", "#3c7632", "#973a74", "#5946ad", "#1a7567", "#84670a", "#a83d32")


def accent_variables(dark: bool) -> dict[str, str]:
    """`agent-0` … and `agent-none` to hex colours, readable on a dark or a light background."""
    colours = {f"agent-{index}": one for index, one in enumerate(_DARK if dark else _LIGHT)}
    return {**colours, "agent-none": "#4a5262" if dark else "#c9c5bb"}


DARK = Theme(
    name="workstation",
    primary="#7fb4dc",
    secondary="#ab9fe6",
    accent="#e3a877",
    foreground="#d6dae2",
    background="#14161b",
    surface="#1a1d24",
    panel="#232731",
    success="#93c48b",
    warning="#dcb56c",
    error="#e0807b",
    dark=True,
    variables={
        "border": "#3a404d",
        "block-cursor-background": "#3a4354",
        "block-cursor-foreground": "#f2f4f8",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#3a4354",
        "block-cursor-blurred-foreground": "#f2f4f8",
        "input-selection-background": "#7fb4dc 30%",
        "scrollbar": "#2b303b",
        "scrollbar-hover": "#3a404d",
        "scrollbar-active": "#4a5262",
        "scrollbar-background": "#14161b",
        "scrollbar-background-hover": "#14161b",
        "scrollbar-background-active": "#14161b",
        "scrollbar-corner-color": "#14161b",
        "markdown-h1-color": "#f2f4f8",
        "markdown-h2-color": "#f2f4f8",
        "markdown-h3-color": "#d6dae2",
    },
)

LIGHT = Theme(
    name="workstation-light",
    primary="#1f6699",
    secondary="#5946ad",
    accent="#a4561a",
    foreground="#2b2f38",
    background="#faf9f6",
    surface="#f1efea",
    panel="#e6e3dc",
    success="#3c7632",
    warning="#84670a",
    error="#a83232",
    dark=False,
    variables={
        "border": "#c9c5bb",
        "block-cursor-background": "#dcd8ce",
        "block-cursor-foreground": "#16181d",
        "block-cursor-text-style": "none",
        "scrollbar": "#d9d5cb",
        "scrollbar-background": "#faf9f6",
        "scrollbar-background-hover": "#faf9f6",
        "scrollbar-background-active": "#faf9f6",
    },
)
