"""The quick-start notebook runs from its first cell to its last, and shows its pictures."""

import pathlib

import nbclient
import nbformat

NOTEBOOK = pathlib.Path(__file__).parent.parent / "quickstart.ipynb"


def test_the_notebook_runs_and_shows_pictures():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells), "saved with outputs"
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [
        set(output.get("data", {})) for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    assert any("image/svg+xml" in data for data in shown), shown
    assert any("text/html" in data for data in shown), shown
