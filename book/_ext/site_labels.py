"""The list of references names its entries as the text cites them: authors and year."""

from __future__ import annotations

from collections import Counter

from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.unsrt import Style
from pybtex.style.labels import BaseLabelStyle


def named(persons) -> str:
    """Last names as a citation gives them: one, two, or the first *et al.*"""
    names = [
        str(Text.from_latex(" ".join([*person.prelast_names, *person.last_names])))
        for person in persons
    ]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names)


class AuthorYearLabels(BaseLabelStyle):
    """Saxe et al., 2018; a letter where two would be the same."""

    def format_labels(self, sorted_entries):
        """One label for each entry, in their order."""
        labels = [
            f"{named(entry.persons.get('author', [])) or entry.key}, "
            f"{entry.fields.get('year', 'no year')}"
            for entry in sorted_entries
        ]
        total, seen = Counter(labels), Counter()
        for label in labels:
            seen[label] += 1
            yield label + (chr(96 + seen[label]) if total[label] > 1 else "")


class AuthorYear(Style):
    """The plain style, sorted and labelled by authors and year."""

    default_sorting_style = "author_year_title"
    default_label_style = AuthorYearLabels


def setup(app):
    register_plugin("pybtex.style.formatting", "author_year", AuthorYear)
    app.config.bibtex_default_style = "author_year"
    app.connect(
        "config-inited", lambda app, config: setattr(config, "bibtex_default_style", "author_year")
    )
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
