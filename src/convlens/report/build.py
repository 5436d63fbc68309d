"""From the files of a run to one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from convlens.report.content import content

TEMPLATE = "page.html"


def page(root: Path, summary: dict[str, Any]) -> str:
    """Return the report on the run under `root` as one self-contained HTML page.

    `summary` is what `evaluation.summary.summary` returns. Same files, same bytes.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("convlens", "assets/report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(TEMPLATE).render(content(root, summary))
