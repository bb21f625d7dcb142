"""What the SVG of a figure holds besides the drawing: its data, as a table to download.

Registered by :func:`ibcore.plots.use_style` for every SVG that is saved, so that a figure in a
notebook, a file and a page is the same. The book's pages take the table out and offer it beside
the figure.
"""

import csv
import io
from typing import Any
from xml.sax.saxutils import escape

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.cbook import open_file_cm

from ibcore.plots.table import HEAD, rows

OPENED, CLOSED = '<metadata class="data" type="text/csv">', "</metadata>"


class FigureCanvas(FigureCanvasSVG):
    """Matplotlib's canvas for SVG, whose files hold the data too."""

    def print_svg(self, filename: Any, **options: Any) -> None:
        """Write the figure as SVG, with its data; what other formats want is passed over."""
        drawn = io.StringIO()
        known = {name: options.get(name) for name in ("bbox_inches_restore", "metadata")}
        draw: Any = super().print_svg
        draw(drawn, **known)
        head, start, rest = drawn.getvalue().partition("<defs>")
        table = f"{OPENED}{escape(table_of(self.figure))}{CLOSED}\n "
        with open_file_cm(filename, "w", encoding="utf-8") as file:
            whole = head + table + start + rest
            binary = isinstance(file, io.BufferedIOBase)
            file.write(whole.encode() if binary else whole)


def table_of(figure: Any) -> str:
    """The data of a figure as CSV: one row per point, numbers to four digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(rows(figure))
    return text.getvalue()
