"""A paper is one room: what lies in it, what its Python may reach, and no number in its code."""

import ast

import pytest

from ibcore import claims, papers

FILES = {"experiments.toml", "claims.toml", "evidence.py", "figures.py"}
MAY_REACH = (
    "ibcore.claims", "ibcore.decomposition", "ibcore.estimators", "ibcore.geometry",
    "ibcore.information", "ibcore.papers", "ibcore.plane", "ibcore.plots", "ibcore.randomness",
    "ibcore.tasks", "ibcore.theory",
)  # fmt: skip
OUTSIDE = {
    "base64",
    "collections",
    "dataclasses",
    "functools",
    "itertools",
    "json",
    "math",
    "re",
    "string",
    "typing",
}
OUTSIDE |= {"matplotlib", "numpy", "scipy", "xarray"}
OF_FORMULAS = {0.5, 1e-12}  # the factor ½, and what a division by nothing is kept from

every_paper = pytest.mark.parametrize("paper", papers.papers())


def trees(paper):
    folder = papers.papers_folder() / paper
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in folder.glob("*.py")}


@every_paper
def test_a_papers_folder_holds_its_four_files_and_nothing_else(paper):
    """Beside them only scripts of its figures, each named there."""
    folder = papers.papers_folder() / paper
    found = {one.name for one in folder.iterdir()} - {"__pycache__"}
    scripts = {name for name in found if name.endswith(".js")}
    assert {"experiments.toml", "claims.toml"} <= found - scripts <= FILES
    assert all(f'"{name}"' in (folder / "figures.py").read_text("utf-8") for name in scripts)


@every_paper
def test_evidence_cannot_train(paper):
    """It reads planes: no engine, no store, no torch."""
    for file, tree in trees(paper).items():
        for node in ast.walk(tree):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if isinstance(node, ast.ImportFrom) and node.module == "ibcore":
                names = [f"ibcore.{one.name}" for one in node.names]
            for name in names:
                inside = name.startswith(MAY_REACH)
                assert inside or name.split(".")[0] in OUTSIDE, f"{file.name} imports {name}"


@every_paper
def test_every_number_that_decides_stands_in_the_claims_file(paper):
    """Fixed thresholds in the code of evidence are seen by no reader."""
    for file, tree in trees(paper).items():
        if file.name == "evidence.py":
            numbers = {
                node.value
                for node in ast.walk(tree)
                if isinstance(node, ast.Constant) and type(node.value) in (int, float)
            }
            assert {n for n in numbers if type(n) is float and n % 1} <= OF_FORMULAS
            assert {n for n in numbers if abs(n) > 10} == set()


@every_paper
def test_no_function_lies_idle(paper):
    """Each function of the evidence is named by a test, or reached by one that is."""
    asked = {
        test.entry["function"]
        for claim in claims.load_registry(paper)
        for test in claim.tests
        if "function" in test.entry
    }
    for file, tree in trees(paper).items():
        if file.name != "evidence.py":
            continue
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert asked <= defined
        assert defined - used - asked == set()


@every_paper
def test_no_file_is_too_long(paper):
    for file in trees(paper):
        assert len(file.read_text(encoding="utf-8").splitlines()) <= 400
