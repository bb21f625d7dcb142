"""A plane as one page: figures, ceilings, warnings and numbers in a file that needs no other."""

import io
import json
import os
import re
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib import pyplot as plt

from ibcore import plots
from ibcore.cautions import Caution, warnings
from ibcore.files import write_whole
from ibcore.plane import check, merge_seeds

STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --soft: #57575c; --page: #fff; --line: #c8c8cc; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececee; --soft: #b0b0b6; --page: #15161a; --line: #46474d; }
}
body { margin: 0 auto; max-width: 50rem; padding: 1.5rem 1rem 4rem; background: var(--page);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
p.soft, figcaption { color: var(--soft); }
figure { margin: 1.2rem 0; }
figure svg { width: 100%; min-width: 32rem; height: auto; display: block; }
.scrolls { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: normal; }
td.n, th.n { text-align: right; }
ul.warnings { padding-left: 1.2rem; } .warnings li { margin: .4rem 0; }
"""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def report(
    plane: xr.Dataset | list[xr.Dataset],
    path: str | os.PathLike[str],
    *,
    title: str = "Information plane",
) -> Path:
    """Write a page about a plane: what was measured, what to beware of, figures and numbers.

    The page is one HTML file that asks nothing of the network, for light and dark screens, with a
    text for every figure. All numbers are in bits.

    Parameters
    ----------
    plane : Dataset (estimator, seed, epoch, layer), or a list of them
        As ``ib.run`` and ``ib.Tracker`` give it; planes of several seeds are put together.
    path : path
        Of the file, ending in .html; the folder is made if there is none.
    title : str

    Returns
    -------
    Path
        Of the file that was written.

    Raises
    ------
    ValueError
        For what is no plane.

    Examples
    --------
    >>> # tracker = ib.Tracker(model, x, y); ...; ib.report(tracker.plane, "plane.html")
    """
    found = merge_seeds(plane) if isinstance(plane, list | tuple) else plane
    if not isinstance(found, xr.Dataset) or not {"seed", "epoch"} <= set(found.dims):
        raise ValueError(
            "report takes a plane over epochs (estimator, seed, epoch, layer), as ib.Tracker and "
            "ib.run give it; what ib.measure gives is a table already: .to_dataframe()."
        )
    check(found)
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"path must end in .html, got {target.name!r}.")
    parts = [_head(found, title), _cautions(found, warnings(found))]
    parts += [_ruler(found, k) for k in range(found.sizes["estimator"])]
    page = PAGE.format(title=escape(title), style=STYLE, body="\n".join([*parts, _origin(found)]))
    return write_whole(target, page.encode())


def _head(plane: xr.Dataset, title: str) -> str:
    """What was measured, and the two ceilings."""
    n, h_y = int(plane.attrs["n_samples"]), float(plane.attrs["label_entropy"])
    seeds, epochs = plane.sizes["seed"], plane.epoch.values
    labels = (
        f"I(T;Y) cannot exceed H(Y) = {h_y:.4g} bits"
        if _has_labels(plane)
        else "there are no labels"
    )
    return (
        f"<h1>{escape(title)}</h1>\n<p>{_count(seeds, 'network')}, "
        f"{_count(len(epochs), 'epoch')} measured from {epochs[0]} to {epochs[-1]}, "
        f"{_count(n, 'input')}. I(X;T) cannot exceed log<sub>2</sub> {n} = {np.log2(n):.4g} bits; "
        f"{labels}. Both ceilings belong to these inputs, not to the population from which they "
        "come.</p>\n" + _layers(plane)
    )


def _layers(plane: xr.Dataset) -> str:
    experiment = json.loads(plane.attrs["experiment"])
    taken = experiment.get("taken") if isinstance(experiment, dict) else None
    names = layer_names(plane)
    words = taken or [""] * len(names)
    rows = [
        [str(layer), escape(name), f"{width}", escape(said)]
        for layer, name, width, said in zip(
            plane.layer.values, names, plane.width.values, words, strict=True
        )
    ]
    return _table(["layer", "name", "units", "what of its output"], rows, numbers=(0, 2))


def layer_names(plane: xr.Dataset) -> list[str]:
    """Names of the layers of a plane, or their numbers.

    Examples
    --------
    >>> layer_names(xr.Dataset(coords={"layer": [1, 2]}))
    ['1', '2']
    """
    names = json.loads(plane.attrs.get("layer_names", "[]"))
    return [str(one) for one in names or plane.layer.values]


def _cautions(plane: xr.Dataset, found: list[Caution]) -> str:
    if not found:
        text = "<p>No value sits at a ceiling or at zero throughout.</p>"
    else:
        names = layer_names(plane)
        items = [
            f"<li><strong>{escape(one.estimator)}</strong>, "
            f"{escape(', '.join(names[layer - 1] for layer in one.layers))}: "
            f"{escape(one.text)}</li>"
            for one in found
        ]
        text = '<ul class="warnings">\n' + "\n".join(items) + "\n</ul>"
    return f"<h2>What these numbers cannot tell</h2>\n{text}"


def _ruler(plane: xr.Dataset, k: int) -> str:
    """Figures and final values of one ruler."""
    one = plane.isel(estimator=[k])
    name, measures = str(one.estimator.values[0]), str(one.measures.values[0])
    figures = []
    if _has_labels(plane):
        figures.append(_figure(plots.information_plane, one, _words(one, "plane")))
    for quantity in ("i_xt", "i_ty") if _has_labels(plane) else ("i_xt",):
        words = _words(one, quantity)
        figures.append(_figure(plots.information_over_time, one, words, quantity=quantity))
    return (
        f"<h2>{escape(name)}</h2>\n<p class='soft'>Measures {escape(measures)}.</p>\n"
        + "\n".join(figures)
        + _values(one)
    )


def _words(plane: xr.Dataset, quantity: str) -> str:
    """A figure in words: where each layer begins and ends, in the median network."""
    shown = ("i_xt", "i_ty") if quantity == "plane" else (quantity,)
    said = {"i_xt": "I(X;T)", "i_ty": "I(T;Y)"}
    parts = []
    for place, name in enumerate(layer_names(plane)):
        moves = []
        for one in shown:
            curve = plane[one].isel(estimator=0, layer=place).median("seed").values
            moves.append(f"{said[one]} goes from {curve[0]:.2f} to {curve[-1]:.2f} bits")
        parts.append(f"In layer {name} {', '.join(moves)}.")
    what = "Information plane" if quantity == "plane" else f"{said[quantity]} over epochs"
    return " ".join([f"{what}.", *parts])


def _figure(draw: Any, plane: xr.Dataset, words: str, **options: Any) -> str:
    """A drawing as SVG within the page, with its text."""
    with mpl.rc_context(), mpl.rc_context({"svg.hashsalt": words}):
        plots.use_style()
        figure, ax = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
        draw(plane, ax=ax, **options)
        content = io.BytesIO()
        figure.savefig(content, format="svg", metadata={"Date": None})
        plt.close(figure)
    drawn = content.getvalue().decode()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    opened = f'<svg role="img" aria-label="{escape(words)}"'
    drawn = drawn.replace("<svg", opened, 1)
    inner = f'<div class="scrolls" tabindex="0" role="region" aria-label="figure">{drawn}</div>'
    return f"<figure>{inner}<figcaption>{escape(words)}</figcaption></figure>"


def _values(plane: xr.Dataset) -> str:
    """First and last values of each layer, median over networks and the range."""
    rows = []
    for place, name in enumerate(layer_names(plane)):
        one = plane.isel(estimator=0, layer=place)
        cells = [escape(name)]
        for quantity in ("i_xt", "i_ty"):
            for epoch in (0, -1):
                values = one[quantity].isel(epoch=epoch).values
                cells.append("–" if np.isnan(values).any() else _spread(values))
        rows.append(cells)
    first, last = plane.epoch.values[[0, -1]]
    heads = [f"{what}, epoch {at}" for what in ("I(X;T)", "I(T;Y)") for at in (first, last)]
    return _table(["layer", *heads], rows, numbers=(1, 2, 3, 4))


def _spread(values: np.ndarray) -> str:
    middle = f"{np.median(values):.3f}"
    return middle if len(values) == 1 else f"{middle} ({values.min():.3f} to {values.max():.3f})"


def _origin(plane: xr.Dataset) -> str:
    facts = {
        "experiment": plane.attrs["digest"],
        "code": plane.attrs["code_digest"],
        "begun": plane.attrs["started"],
        "measured for": f"{float(plane.attrs['duration_s']):.3g} s",
        "versions": ", ".join(f"{k} {v}" for k, v in json.loads(plane.attrs["versions"]).items()),
        "seeds": ", ".join(map(str, plane.seed.values)),
    }
    rows = [[escape(name), escape(str(value))] for name, value in facts.items()]
    return f"<h2>Where they come from</h2>\n{_table(['what', 'value'], rows)}"


def _table(heads: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> str:
    sides = [' class="n"' if k in numbers else "" for k in range(len(heads))]
    head = "".join(
        f'<th scope="col"{side}>{one}</th>' for one, side in zip(heads, sides, strict=True)
    )
    body = "\n".join(
        "<tr>" + "".join(f"<td{s}>{c}</td>" for c, s in zip(row, sides, strict=True)) + "</tr>"
        for row in rows
    )
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    return f'<div class="scrolls" tabindex="0" role="region" aria-label="table">{table}</div>'


def _has_labels(plane: xr.Dataset) -> bool:
    return not bool(np.isnan(plane.i_ty.values).any())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
