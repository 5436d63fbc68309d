"""From the files of a run to one HTML page."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

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
    pictures = {
        str(path.relative_to(root / "reports")): _data_uri(path)
        for path in sorted((root / "reports").rglob("*.png"))
    }
    return environment.get_template(TEMPLATE).render(summary=summary, pictures=pictures)


def _data_uri(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")
