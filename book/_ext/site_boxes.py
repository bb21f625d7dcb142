"""Verdict boxes: claim, word and finding stand in sight, what they rest on is one click away.

A box as ``ibcore.claims`` writes it has everything in one column. Here source, criterion, marks
with their labels, tests, dates and origin go into one fold, whose summary still shows the direction
and one mark for every case that was asked. Nothing is left out.
"""

from __future__ import annotations

from site_menu import anchor_of

FOLD = "behind"
NAME = "Source, criterion and tests"
DIRECTIONS = {
    "agrees": "direction as claimed",
    "opposite": "opposite direction",
    "open": "direction open",
    "none found": "no direction",
}
SIZES = {"as claimed": "size as claimed", "open": "size open"}
IDENTITIES = ("holds", "fails")  # have no direction
MANY = 60  # marks that a line can show
UNDECIDED = ("open", "none found", "not seen on a stand-in")  # what would have been seen is said


def short_boxes(soup, page):
    """Fold everything of each box but claim, word, finding and what qualifies them."""
    for box in soup.select(".judged"):
        finding = box.find("p", recursive=False, class_=False)
        while finding is not None and finding.find("span", class_="verdict") is None:
            finding = finding.find_next_sibling("p")
        if finding is None or box.find("details", class_=FOLD):
            continue
        name = box.find("strong")
        row = page.rows.get(anchor_of(name.get_text()), {}) if name else {}
        parts = [one for one in box.find_all(True, recursive=False) if _folded(one, finding, row)]
        if not parts:
            continue
        fold = soup.new_tag("details", attrs={"class": FOLD})
        fold.append(_summary(soup, box, row))
        if (source := box.find("span", class_="source")) is not None:
            source.name = "p"
            fold.append(source.extract())
        fold.extend(part.extract() for part in parts)
        if other := row.get("same_evidence_as"):
            _refer(soup, fold, other)
        box.append(fold)


def ways_on(soup, page):
    """Lead from each box to its figure, to a network in the laboratory and to the ledger."""
    for box in soup.select(".judged"):
        name = box.find("strong")
        row = page.rows.get(anchor_of(name.get_text()), {}) if name else {}
        if not row or box.find("p", class_="ways-on"):
            continue
        line = f"book/ledger.html#{anchor_of(row['id']).replace('verdict-', 'claim-', 1)}"
        places = (
            (row.get("figure"), "Figure"),
            (row.get("laboratory"), "One network in the laboratory"),
            (line, "In the ledger"),
        )
        said = soup.new_tag("p", attrs={"class": "ways-on"})
        for address, what in places:
            if address:
                link = soup.new_tag("a", href=_here(page, address))
                link.string = what
                said.extend([" · ", link] if said.contents else [link])
        box.append(said)


def _here(page, address):
    """The address of a place of the site, from a page; within the page its name only."""
    file, _, place = address.partition("#")
    return f"#{place}" if file == page.name else f"{page.to(file)}#{place}"


def _refer(soup, fold, other):
    """Send from the box of a repeat to the tests of the claim that it repeats."""
    for part in fold.select(".strip, details:not(.origin):has(table)"):
        part.decompose()
    said, link = soup.new_tag("p"), soup.new_tag("a", href=f"#{anchor_of(other)}")
    link.string = other
    said.extend(["The tests are those of ", link, "."])
    fold.append(said)


def _folded(part, finding, row):
    """Whether a part of a box goes into its fold."""
    claimed = part.find("strong", recursive=False) is not None
    return part is not finding and not claimed and not _qualifies(part, row)


def _qualifies(part, row):
    """Remarks without which the word would say too much: who had not learnt, what is too small."""
    if "remark" not in part.get("class", []):
        return False
    said = part.get_text()
    usual = ("Exploratory", "Same evidence")
    if " answer" in said and said[:1].isdigit():
        return row.get("verdict") in UNDECIDED and "show an effect" in said
    return not said.startswith(usual)


def _summary(soup, box, row):
    """One line: the marks, direction, size and number of what agrees, and what is behind."""
    summary = soup.new_tag("summary")
    said = ways(row)
    marks = box.select(".strip .cell")
    if 1 < len(marks) <= MANY:
        label = f"Marks of {len(marks)} tests"
        ticks = soup.new_tag("span", attrs={"class": "ticks", "role": "img", "aria-label": label})
        for mark in marks:
            copy = soup.new_tag("span", attrs={"class": mark["class"]})
            copy["title"] = f"{mark.get_text(strip=True)[1:].strip()}: {mark.get('title', '')}"
            copy.string = mark.get_text(strip=True)[0]
            ticks.append(copy)
        summary.append(ticks)
    if said:
        way = soup.new_tag("span", attrs={"class": "ways"})
        way.string = said
        summary.extend([" ", way] if marks else [way])
    name = soup.new_tag("span", attrs={"class": "more"})
    name.string = NAME
    summary.extend([" ", name])
    return summary


def ways(row):
    """What the word sums up, in words.

    >>> ways({"verdict": "mixed", "direction": "agrees", "size": "smaller", "scope": "4 of 6"})
    'direction as claimed, smaller than claimed, 4 of 6 agree'
    >>> ways({"verdict": "holds", "direction": "agrees", "scope": "3 of 3", "exploratory": True})
    '3 of 3 hold, exploratory'
    >>> ways({"verdict": "open", "direction": "open", "size": "smaller", "scope": "0 of 1"})
    'direction open'
    """
    identity = row.get("verdict") in IDENTITIES
    k, _, m = row.get("scope", "").partition(" of ")
    size = row.get("size", "")
    size = f"{size} than claimed" if size in ("smaller", "larger") else SIZES.get(size, "")
    if row.get("direction") != "agrees":
        size = ""  # of an effect that is not there
    parts = [] if identity else [DIRECTIONS.get(row.get("direction"), ""), size]
    if int(m or 0) > 1:
        parts.append(f"{k} of {m} {'hold' if identity else 'agree'}")
    if row.get("same_evidence_as"):
        parts.append(f"same evidence as {row['same_evidence_as']}")
    if row.get("exploratory"):
        parts.append("exploratory")
    return ", ".join(filter(None, parts))
