"""A report as text: Markdown, JSON, or points."""

import json
import re
from collections.abc import Mapping

from skill_agent.values import ReportFormat, ReportType

from .sections import Section

_MARK = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+")


def in_format(
    form: ReportFormat, report_type: ReportType, title: str, sections: Mapping[str, Section]
) -> str:
    match form:
        case "json":
            told = {key: {"title": one.title, "text": one.text} for key, one in sections.items()}
            whole = {"report_type": report_type, "title": title, "sections": told}
            return json.dumps(whole, ensure_ascii=False, indent=2)
        case "bullet_points":
            parts = [f"{one.title}\n{_points(one.text)}" for one in sections.values()]
            return "\n\n".join([title, *parts])
        case "markdown":
            parts = [f"## {one.title}\n\n{one.text}" for one in sections.values()]
            return "\n\n".join([f"# {title}", *parts])


def _points(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"- {_MARK.sub('', line).strip()}" for line in lines)
