"""A conversation as a document: Markdown, HTML, JSON, or a picture of all of it.

HTML and picture stand by themselves: they load nothing, and all text in them is escaped.
"""

import html
import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from skill_agent.text.printing import printable
from skill_agent.values import Session
from skill_agent.values.json_types import plain

from .past import Past
from .retold import retold

FORMS = MappingProxyType(
    {
        "md": "Markdown",
        "html": "HTML, a page by itself",
        "json": "JSON, with all that is kept",
        "svg": "SVG, a picture of all of it",
    }
)
"""By the end of a file's name."""
_PICTURE_WIDTH = 100
"""Cells of a row."""
_FONTS = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)
"""What would be loaded from elsewhere."""

_PAGE = """<!doctype html>
<html lang="und">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ground: #faf9f6; --text: #2b2f38; --quiet: #6b6f78;
  --band: #f1efea; --accent: #a4561a; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ground: #14161b; --text: #d6dae2;
  --quiet: #9aa1ad; --band: #1e222b; --accent: #e3a877; }} }}
body {{ margin: 2rem auto; max-width: 46rem; padding: 0 1rem; background: var(--ground);
  color: var(--text); font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.4rem; }}
a {{ color: inherit; }}
em {{ color: var(--quiet); }}
pre, code {{ font-family: ui-monospace, monospace; font-size: .9em; }}
pre {{ background: var(--band); padding: .8rem 1rem; border-radius: 6px; overflow-x: auto; }}
blockquote {{ margin: 0; padding-left: 1rem; border-left: 3px solid var(--accent); }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .3rem .8rem; border-bottom: 1px solid var(--quiet); text-align: left; }}
</style>
</head>
<body>
{body}</body>
</html>
"""


class Masks(Protocol):
    """Takes keys and passwords out of a text, or out of all texts of a value."""

    def __call__(self, value: Any, /) -> Any: ...


def exported(session: Session, past: Past, form: str, masks: Masks) -> str:
    """The conversation in one of `FORMS`; raises KeyError for any other."""
    writers: Mapping[str, Callable[[], str]] = {
        "md": lambda: masks(retold(session, past)),
        "html": lambda: _page(session.title, masks(retold(session, past))),
        "json": lambda: _json(masks(session_object(session, past))),
        "svg": lambda: _picture(masks(session.title), masks(retold(session, past))),
    }
    return writers[form]()


def session_object(found: Session, past: Past) -> dict[str, Any]:
    """All that is kept of it, as JSON types."""
    # `messages` counts in a listing; here it is the conversation itself.
    return {
        **plain(found),
        "messages": [plain(message) for message in past.messages],
        "turns": [plain(turn) for turn in past.turns.values()],
        "compactions": plain(past.summed_up),
    }


def _json(whole: dict[str, Any]) -> str:
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _page(title: str, markdown: str) -> str:
    """As a page; what looks like HTML is text, and an address of a picture is not followed."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("gfm-like", {"html": False, "linkify": False}).disable("image")
    return _PAGE.format(
        title=html.escape(printable(title)), body=parser.render(printable(markdown))
    )


def _picture(title: str, markdown: str) -> str:
    """As a terminal shows it, of whatever length."""
    import io

    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(
        width=_PICTURE_WIDTH, record=True, file=io.StringIO(), color_system="truecolor",
        force_terminal=True, legacy_windows=False,
    )  # fmt: skip
    console.print(Markdown(printable(markdown), hyperlinks=False))
    template = _FONTS.sub("", CONSOLE_SVG_FORMAT)
    return console.export_svg(title=printable(title), code_format=template)
