"""The limits of a chapter, as functions: a notebook in, a list of problems out.

They are what CONTRIBUTING.md says about chapters, in a form that a machine checks
(tests/test_book.py).
"""

from __future__ import annotations

import ast
import re

from nbformat import NotebookNode
from papermill.translators import PythonTranslator

LONGEST_CELL = 15  # lines of code
LEAST_PROSE = 0.5  # share of the lines of a chapter

# Absolute paths of somebody's machine, in a source or an output.
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|work|Users|private|mnt|opt|var)/[\w.-]+")


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def parse(source: str) -> ast.Module:
    """The code of a cell, without IPython's magics."""
    lines = source.splitlines()
    return ast.parse("\n".join("" if line.startswith(("%", "!")) else line for line in lines))


def head(cell: NotebookNode) -> str:
    """The first line of a cell, to name it by."""
    return repr(cell.source.strip().splitlines()[0][:60])


def cells_are_short(notebook: NotebookNode) -> list[str]:
    return [
        f"{head(cell)}: {count} lines, at most {LONGEST_CELL}; move code to ibcore"
        for cell in code_cells(notebook)
        if (count := len(cell.source.splitlines())) > LONGEST_CELL
    ]


def nothing_is_defined(notebook: NotebookNode) -> list[str]:
    """No function, no class, no torch: they belong to ibcore."""
    problems = []
    for cell in code_cells(notebook):
        for node in ast.walk(parse(cell.source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                problems.append(f"{head(cell)}: defines {node.name}; move it to ibcore")
            names = [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "name")]
            modules = [getattr(node, "module", None) or "", *names]
            if isinstance(node, ast.Import | ast.ImportFrom) and any(
                module.split(".")[0] == "torch" for module in modules
            ):
                problems.append(f"{head(cell)}: imports torch; use ibcore")
    return problems


def no_trailing_semicolon(notebook: NotebookNode) -> list[str]:
    """It silences an output in Jupyter and not under nbval; write ``_ = ...``."""
    return [
        f"{head(cell)}: ends with a semicolon; write _ = ..."
        for cell in code_cells(notebook)
        if cell.source.rstrip().endswith(";")
    ]


def parameters_are_declared(notebook: NotebookNode) -> list[str]:
    """One cell of typed, commented literals; the next code cell checks what was injected."""
    cells = code_cells(notebook)
    tagged = [index for index, cell in enumerate(cells) if "parameters" in tags(cell)]
    if len(tagged) != 1:
        return [f"{len(tagged)} cells are tagged parameters, expected one"]
    cell = cells[tagged[0]]
    lines = cell.source.splitlines()
    shown = {one.name: one.inferred_type_name for one in PythonTranslator.inspect(cell)}
    problems = []
    for node in parse(cell.source).body:
        name = ast.unparse(node)
        if not isinstance(node, ast.AnnAssign) or node.value is None:
            problems.append(f"parameters: {name}: write name: type = value  # what it is")
            continue
        if not _is_literal(node.value):
            problems.append(f"parameters: {name}: not a literal")
        if not re.search(r"#\s*\S", lines[node.end_lineno - 1][node.end_col_offset :]):
            problems.append(f"parameters: {name}: no comment; papermill shows it as its help")
        if shown.get(node.target.id) != ast.unparse(node.annotation).strip("'"):
            problems.append(
                f"parameters: {name}: papermill does not show its type; it reads "
                '"Optional[int]", as text, where Python has int | None'
            )
    following = cells[tagged[0] + 1].source if tagged[0] + 1 < len(cells) else ""
    if "check_parameters(globals())" not in following:
        problems.append("the cell after the parameters must call ib.check_parameters(globals())")
    return problems


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def prose_carries_it(notebook: NotebookNode) -> list[str]:
    def lines(kind: str) -> int:
        cells = [cell.source for cell in notebook.cells if cell.cell_type == kind]
        return sum(bool(line.strip()) for source in cells for line in source.splitlines())

    prose, code = lines("markdown"), lines("code")
    share = prose / max(prose + code, 1)
    return [f"{share:.0%} prose, at least {LEAST_PROSE:.0%}"] if share < LEAST_PROSE else []


def executed_in_order(notebook: NotebookNode) -> list[str]:
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts == list(range(1, len(counts) + 1)):
        return []
    return [f"not executed in order on a fresh kernel: {counts}; run make book"]


def outputs_are_clean(notebook: NotebookNode) -> list[str]:
    return [
        f"{head(cell)}: holds {output.get('ename') or 'text on stderr'}"
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def names_no_machine(notebook: NotebookNode) -> list[str]:
    found = MACHINE_PATH.findall(_all_text(notebook))
    return [f"names a path of one machine: {path}" for path in sorted(set(found))]


def _all_text(node: object) -> str:
    if isinstance(node, dict):
        return "\n".join(_all_text(value) for value in node.values())
    if isinstance(node, list):
        return "\n".join(map(_all_text, node))
    return str(node)


def verdicts_are_compared(notebook: NotebookNode) -> list[str]:
    """nbval compares the verdict cells with a fresh execution; there is at least one."""
    cells = [cell for cell in code_cells(notebook) if ".verdict(" in cell.source]
    problems = [
        f"{head(cell)}: shows a verdict and lacks the tag nbval-check-output"
        for cell in cells
        if "nbval-check-output" not in tags(cell)
    ]
    return problems or ([] if cells else ["no cell shows a verdict: study.verdict(...)"])


def figures_are_described(notebook: NotebookNode) -> list[str]:
    """Every figure says in words what it shows, for those who cannot see it."""
    return [
        f"{head(cell)}: draws a figure; add metadata mystnb: image: alt: ..."
        for cell in code_cells(notebook)
        if any("image/svg+xml" in output.get("data", {}) for output in cell.outputs)
        and not cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
    ]


RULES = (
    cells_are_short,
    nothing_is_defined,
    no_trailing_semicolon,
    parameters_are_declared,
    prose_carries_it,
    executed_in_order,
    outputs_are_clean,
    names_no_machine,
    verdicts_are_compared,
    figures_are_described,
)
