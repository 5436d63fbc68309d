"""docs/any_model.ipynb runs as it stands, and says of Chelsea what it said when committed."""

import nbformat
import pytest
from nbclient import NotebookClient

LARGEST = 400_000  # bytes: pictures of it are in every clone for ever


@pytest.mark.usefixtures("lite0")
def test_the_notebook_runs_and_its_committed_outputs_are_small(root):
    path = root / "docs/any_model.ipynb"
    assert path.stat().st_size < LARGEST
    notebook = nbformat.read(path, as_version=4)
    committed = _said(notebook)
    assert committed.startswith("Egyptian cat")
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    ).execute()
    assert _said(notebook).splitlines()[0].startswith("Egyptian cat")
    pictures = [out for cell in notebook.cells for out in cell.get("outputs", []) if "data" in out]
    assert sum("image/png" in out["data"] for out in pictures) == 2


def _said(notebook) -> str:
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    return "".join(out["text"] for out in outputs if out.get("name") == "stdout")
