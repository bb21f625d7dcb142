"""Code cells are folded: prose and figures first, the code one click away.

A ``<details>`` needs no script. What a cell gives, figures and verdicts, stays in sight, and comes
first.
"""

from __future__ import annotations

SETUP = "Setup and parameters of this chapter: imports, what is loaded, what a reader may change"
PARAMETERS = "Parameters: what a reader may change"
PREPARATION = "Code: what is prepared here"
OF_A_FIGURE = "Code of this figure"
OF_A_VERDICT = "Code of this verdict"
OF_A_RESULT = "Code of this result"


def fold_the_code(soup, page):
    """Put the code of every cell into a fold of its own, neighbours without a result into one."""
    for cell in soup.select("div.cell"):
        source, given = _part(cell, "cell_input"), _part(cell, "cell_output")
        if source is None or source.find_parent("details", class_="code"):
            continue
        for old in cell.find_all("details", class_="hide"):  # tagged hide-input: one look for all
            old.replace_with(*[part for part in list(old.children) if part.name != "summary"])
        source.extract()
        if given is None or (not given.get_text(strip=True) and not given.find(["img", "svg"])):
            before = _fold_before(cell)
            if before is not None:
                before.append(source)
                before.summary.string = _name_of_many(before)
                cell.decompose()
                continue
            name = PARAMETERS if "tag_parameters" in cell["class"] else PREPARATION
        elif given.select_one(".judged"):
            name = OF_A_VERDICT
        else:
            name = OF_A_FIGURE if given.find(["img", "svg", "canvas"]) else OF_A_RESULT
        fold = soup.new_tag("details", attrs={"class": "code"})
        summary = soup.new_tag("summary")
        summary.string = name
        fold.extend([summary, source])
        if "tag_parameters" in cell["class"]:
            fold["data-parameters"] = ""
        cell.append(fold)


def _part(cell, name):
    return cell.find("div", class_=name)


def _fold_before(cell):
    """The fold of the cell right before this one, if that one gives nothing either."""
    other = cell.find_previous_sibling(True)
    if other is None or "cell" not in other.get("class", []) or _part(other, "cell_output"):
        return None
    return other.find("details", class_="code")


def _name_of_many(fold):
    return SETUP if fold.has_attr("data-parameters") else PREPARATION
