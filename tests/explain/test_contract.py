"""Every function on every architecture, and the document that says so."""

import contract
import pytest


@pytest.mark.parametrize("name", contract.NAMES)
def test_the_contract_holds_and_its_line_is_in_the_document(name):
    line = contract.examine(name)
    text = contract.DOCUMENT.read_text(encoding="utf-8")
    assert line in text.splitlines(), "stale: run `python tests/explain/contract.py`"


def test_the_document_has_no_other_lines():
    text = contract.DOCUMENT.read_text(encoding="utf-8")
    rest = text.removeprefix(contract.HEAD).splitlines()
    assert text.startswith(contract.HEAD)
    assert [line.split(" | ")[0].removeprefix("| ") for line in rest] == contract.NAMES
