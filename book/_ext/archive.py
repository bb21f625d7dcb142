"""The book as files to take home, built into the site: the sources, and the stored results.

    ```{archives}
    ```

lists them with their sizes and hashes. Equal files give equal archives: nothing in them depends on
the day, the machine or the user.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import subprocess
import tarfile
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

NAME = "information-bottleneck-book"
FOLDER = "archive"  # of the site
RESULTS = ("book/results/planes/", "book/results/weights/")
"""What is large: without it chapters can be read and built, with it also run again."""


@dataclass(frozen=True)
class Archive:
    """One file, what it holds, and where it lies in the site."""

    name: str
    what: str
    n_files: int
    size: int
    sha256: str


def version(root: Path) -> str:
    """The version of the library, which is that of the book."""
    text = (root / "ibcore" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"', text, flags=re.MULTILINE)[1]


def kept_files(root: Path) -> list[str]:
    """The files of the book, in order: those that git knows, or all that .gitignore leaves."""
    if (root / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True
        )
        names = listed.stdout.decode().split("\0")
    else:
        names = not_ignored(root)
    return sorted(name for name in names if name and (root / name).is_file())


def not_ignored(root: Path) -> list[str]:
    """What an unpacked archive holds, and nothing that was built in it since."""
    lines = (root / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [one.strip().rstrip("/") for one in lines if one.strip() and one[0] != "#"]
    found = []
    for folder, folders, files in os.walk(root):
        place = Path(folder).relative_to(root)
        folders[:] = [one for one in folders if not _ignored(place / one, patterns)]
        found += [(place / one).as_posix() for one in files if not _ignored(place / one, patterns)]
    return found


def _ignored(path: Path, patterns: list[str]) -> bool:
    """Whether a name, or with a slash a whole path, is one of these."""
    return path.name == ".git" or any(
        fnmatch(path.as_posix() if "/" in one else path.name, one) for one in patterns
    )


def packed(root: Path, names: list[str], folder: str, level: int = 9) -> bytes:
    """A tar.gz of these files, all of them within one folder."""
    inside = io.BytesIO()
    with tarfile.open(fileobj=inside, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in names:
            content = (root / name).read_bytes()
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            member.mode = 0o755 if os.access(root / name, os.X_OK) else 0o644
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(inside.getvalue(), compresslevel=level, mtime=0)


def write_archives(root: Path, target: Path) -> list[Archive]:
    """The sources and the results as two files of a folder."""
    folder = f"{NAME}-{version(root)}"
    names = kept_files(root)
    results = [name for name in names if name.startswith(RESULTS)]
    sources = [name for name in names if not name.startswith(RESULTS)]
    target.mkdir(parents=True, exist_ok=True)
    found = []
    # What is stored is compressed already.
    for name, what, inside, level in (
        (f"{folder}.tar.gz", "text, executed notebooks, library, tests, verdicts", sources, 9),
        (f"{folder}-results.tar.gz", "information planes and weights of all runs", results, 1),
    ):
        if inside:
            content = packed(root, inside, folder, level)
            (target / name).write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            found.append(Archive(name, what, len(inside), len(content), digest))
    return found


class Archives(SphinxDirective):
    """``{archives}``: a line for each file, to be clicked."""

    def run(self) -> list[nodes.Node]:
        up = "../" * self.env.docname.count("/")
        lines = [
            f'<li><a href="{up}{FOLDER}/{one.name}" download>{one.name}</a> '
            f"({one.size / 1e6:.1f} MB, {one.n_files} files): {one.what}."
            f"<br><small>SHA-256 <code>{one.sha256}</code></small></li>"
            for one in getattr(self.env.app, "archives", ())
        ]
        return [nodes.raw("", f'<ul class="archives">{"".join(lines)}</ul>', format="html")]


def build(app):
    """Before any page is read, so that pages can say what the files hold.

    A site of some pages alone, without the library beside them, has no archives.
    """
    if app.builder.format == "html" and (Path(app.srcdir) / "ibcore").is_dir():
        app.archives = write_archives(Path(app.srcdir), Path(app.outdir) / FOLDER)


def read_again(app, env, docnames):
    """A page that lists the archives is never taken from a cache."""
    docnames += [name for name in env.found_docs if name.endswith("get_it")]


def setup(app):
    app.add_directive("archives", Archives)
    app.connect("builder-inited", build)
    app.connect("env-before-read-docs", read_again)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
