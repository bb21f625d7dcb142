"""What keyboards and screen readers need, where theme and generators leave it out."""

from __future__ import annotations


def repair(soup, page):
    """All repairs of one page."""
    for change in (_landmarks, _names, _signatures, _tables, _formulas, _bibliography):
        change(soup)


def _landmarks(soup):
    """All that is on the page lies in a landmark, and each has a name of its own."""
    for name, label in (("pst-primary-sidebar", "Site"), ("pst-secondary-sidebar", "This page")):
        if (bar := soup.find(id=name)) is not None:
            bar["role"], bar["aria-label"] = "region", label
    for skip in soup.select("#pst-skip-link"):
        skip["role"], skip["aria-label"] = "navigation", "Skip"
    for ad in soup.select("#ethical-ad-placement"):
        (ad.find_parent(class_="sidebar-primary-items__end") or ad).decompose()
    for copy in soup.select("#jb-print-toc nav"):
        copy["aria-label"] = "Contents in print"


def _names(soup):
    """What a button says is what it is called."""
    for button in soup.select("button.search-button-field"):
        del button["aria-label"]
        for key in button.select(".search-button__kbd-shortcut"):
            key["aria-hidden"] = "true"
    for button in soup.select("button[title]:not([aria-label])"):
        if not button.get_text(strip=True):
            button["aria-label"] = button["title"]
    for entry in soup.select("li.has-children"):
        if (fold := entry.select_one(":scope > details > summary")) is not None:
            fold["aria-label"] = f"Pages of: {' '.join(entry.a.get_text().split())}"
    for icon in soup.select("i[class*='fa-'], span[class*='fa-']"):
        icon["aria-hidden"] = "true"
        del icon["title"]


def _signatures(soup):
    """The lines of a long signature are no definitions."""
    for lines in soup.select("dt > dl"):
        lines.name = "div"
        for line in lines.find_all("dd", recursive=False):
            line.name, line["class"] = "div", "sig-line"


def _tables(soup):
    """Wide tables scroll in a box that the keyboard reaches; an empty corner is no heading."""
    for head in soup.select("article th"):
        if not head.get_text(strip=True) and not head.find("img"):
            head.name = "td"
        elif not head.has_attr("scope"):
            head["scope"] = "col" if head.find_parent("thead") else "row"
    for number, table in enumerate(soup.select("article table"), 1):
        if table.find_parent(class_="scrolls") or "highlighttable" in table.get("class", []):
            continue
        caption = table.find("caption")
        said = caption.get_text(" ", strip=True) if caption else f"Table {number} of this page"
        box = {"class": "scrolls", "tabindex": "0", "role": "group", "aria-label": said}
        table.wrap(soup.new_tag("div", attrs=box))


def _formulas(soup):
    """A formula wider than the screen scrolls: the keyboard reaches it too."""
    for formula in soup.select("article div.math"):
        formula["tabindex"] = "0"
        formula["role"], formula["aria-label"] = "group", "Formula"


def _bibliography(soup):
    """Roles that are no longer allowed, or that need children which are not there."""
    for place in soup.select("[role^=doc-]"):
        del place["role"]
    for place in soup.select(".citation-list[role=list]"):
        del place["role"]
