"""A vulnerability fails the audit unless it was accepted lately; no answer is no audit."""

import importlib.util
from datetime import date

import pytest

TODAY = date(2026, 6, 1)


@pytest.fixture
def audit(root):
    spec = importlib.util.spec_from_file_location("audit", root / ".ci/audit.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dependency(*ids):
    flaws = [{"id": i, "aliases": ["CVE-1"], "fix_versions": ["2.0"]} for i in ids]
    return {"name": "pillow", "version": "1.0", "vulns": flaws}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("", "VULNERABLE"),
        ("PYSEC-1 2026-05-01 not reachable: we decode four formats only", "accepted"),
        ("CVE-1 2026-05-01 by its alias", "accepted"),
        ("PYSEC-1 2025-05-01 lapsed", "VULNERABLE"),
        ("PYSEC-2 2026-05-01 another", "VULNERABLE"),
    ],
)
def test_only_a_recent_acceptance_of_this_finding_counts(audit, line, word):
    lines = audit.report([dependency("PYSEC-1")], audit.accepted(f"# why\n{line}\n", TODAY))
    assert lines[0].startswith(word)
    assert "pillow 1.0  PYSEC-1  mended in 2.0" in lines[0]


def test_a_service_that_knows_nothing_has_audited_nothing(audit):
    """Behind a mirror pip-audit skips every package and calls that a success."""
    skipped = [{"name": "pillow", "skip_reason": "not found"}]
    assert audit.report(skipped, set()) == [
        "not audited: 0 dependencies known to the service, 1 not"
    ]
    assert audit.report([dependency()], set())[-1].startswith("audited: 1")


def test_the_committed_list_is_well_formed(audit):
    audit.accepted(audit.ACCEPTED.read_text(), date.today())
