"""Fail on a known vulnerability of a pinned dependency, unless it was accepted lately.

pip-audit calls a dependency that its service doesn't know "skipped" and the audit a success; here
it is said in so many words that nothing was looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ACCEPTED = ROOT / ".ci/accepted-vulnerabilities.txt"
LAPSE = timedelta(days=180)


def main() -> None:
    """Audit requirements-dev.lock, which holds everything."""
    command = [
        sys.executable, "-m", "pip_audit", "--disable-pip", "--progress-spinner", "off",
        "--desc", "off", "--format", "json", "--requirement", "requirements-dev.lock",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except json.JSONDecodeError:
        reason = (done.stderr.strip().splitlines() or ["pip-audit gave no reason"])[-1]
        sys.exit(not_audited(reason[:200]))
    print(*(lines := report(found, accepted(ACCEPTED.read_text(), date.today()))), sep="\n")
    sys.exit(any(line.startswith("VULNERABLE") for line in lines))


def not_audited(reason: str) -> int:
    """Say that this machine can't audit; offline work must not fail for it."""
    print(f"not audited: the vulnerability service gave no answer ({reason})")
    return 0


def accepted(text: str, today: date) -> set[str]:
    """Return the ids of a list of `ID DATE reason` lines that were accepted within LAPSE."""
    lines = [line.split(maxsplit=2) for line in text.splitlines() if not line.startswith("#")]
    return {
        name for name, day, _reason in filter(None, lines)
        if today - date.fromisoformat(day) <= LAPSE
    }  # fmt: skip


def report(dependencies: list[dict[str, Any]], known: set[str]) -> list[str]:
    """Return a line for each finding, VULNERABLE if it isn't among the `known`, and a summary."""
    looked_up = [found for found in dependencies if "vulns" in found]
    lines = []
    for found in looked_up:
        for flaw in found["vulns"]:
            word = "accepted  " if known & {flaw["id"], *flaw["aliases"]} else "VULNERABLE"
            mended = ", ".join(flaw["fix_versions"]) or "no version"
            lines.append(
                f"{word}  {found['name']} {found['version']}  {flaw['id']}  mended in {mended}"
            )
    unknown = len(dependencies) - len(looked_up)
    word = "audited" if looked_up else "not audited"
    return [*lines, f"{word}: {len(looked_up)} dependencies known to the service, {unknown} not"]


if __name__ == "__main__":
    main()
