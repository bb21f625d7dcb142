"""Tables of text."""

from collections.abc import Sequence

import typer


def echo_table(head: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns, two blanks apart, under a head if there is one."""
    lines = [tuple(head), *rows] if head else list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  " + "  ".join(cells).rstrip())
