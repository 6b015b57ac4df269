"""The notebook of the documentation runs from its first cell to its last."""

import pathlib

import pytest

NOTEBOOK = pathlib.Path(__file__).parents[1] / "examples" / "dynameter.ipynb"


@pytest.mark.traces
def test_the_notebook_runs_and_shows_its_plots():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for needed in ["ipykernel", "matplotlib", "pandas", "pyarrow"]:
        pytest.importorskip(needed)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert kinds.count("image/png") == 3
    first = next(output for output in outputs if "text/html" in output.get("data", {}))
    assert "Sessions" in first["data"]["text/html"] and "a month" in first["data"]["text/html"]
