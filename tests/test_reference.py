"""The reference: every public name has its place, and what these pages say and offer is true."""

import hashlib
import importlib
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import archive
import cite_page
import execute
import get_it_page
import pages
import pytest
import rulers_page
import status_page
import yaml
from pybtex.database import parse_string

import ibcore as ib
from ibcore import claims
from ibcore.claims import origin

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"


GROUPS = (
    "ibcore",
    *(f"ibcore.{one}" for one in ("estimators", "theory", "plots", "claims", "plane")),
)
API = sorted(BOOK.glob("api*.md"))
BLOCK = re.compile(r"^```\{api\} (\S+)\n((?::\w+:\n)*)((?:.+\n)*?)```$", flags=re.MULTILINE)
CONF = """\
import sys
sys.path.insert(0, {ext!r})
project = "x"
extensions = ["myst_parser", "reference"]
html_theme = "basic"
root_doc = "api"
nitpicky = True
# The other pages of the book are not here.
suppress_warnings = ["myst.xref_missing", "toc.not_included"]
"""


def listed():
    """Objects that the pages of the reference name, each with the pages that do."""
    found = {}
    for page in API:
        for module, options, names in BLOCK.findall(page.read_text(encoding="utf-8")):
            home = importlib.import_module(module)
            if ":about:" in options:
                found.setdefault(id(home), []).append(page.name)
            for name in (line.partition(":")[0] for line in names.splitlines()):
                found.setdefault(id(getattr(home, name)), []).append(page.name)
    return found


# Reference ------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
def test_every_public_name_is_on_a_page(group):
    home, there = importlib.import_module(group), listed()
    assert [name for name in home.__all__ if id(getattr(home, name)) not in there] == []


def test_no_name_is_on_two_pages():
    """One that is public twice, in ibcore and in a module, has one place."""
    small = {id(one) for one in (*range(-5, 257), True, False, None)}
    assert [at for key, at in listed().items() if len(at) > 1 and key not in small] == []


def test_every_page_of_the_reference_is_reached_from_its_first():
    first = (BOOK / "api.md").read_text(encoding="utf-8")
    assert {page.name for page in API} - {"api.md"} == set(re.findall(r"\((api_\w+\.md)\)", first))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages of the reference, built by Sphinx alone; what it has to say."""
    folder = tmp_path_factory.mktemp("reference")
    for page in API:
        shutil.copy(page, folder)
    toc = "".join(f"{page.stem}\n" for page in API if page.stem != "api")
    with (folder / "api.md").open("a", encoding="utf-8") as file:
        file.write(f"\n```{{toctree}}\n{toc}```\n")
    (folder / "conf.py").write_text(CONF.format(ext=str(BOOK / "_ext")))
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-q", ".", "_built"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return folder / "_built", done.stderr


def test_the_reference_builds_without_a_warning(built):
    assert built[1] == ""


def test_pages_say_what_docstrings_say(built):
    """Signature as written, formula line by line, settings, example; of a name that comes late."""
    page = (built[0] / "api_rulers.html").read_text(encoding="utf-8")
    text = re.sub(r"<[^>]+>", "", page)
    assert 'id="ibcore.Binning"' in page
    assert "noise_std: float = 0.005" in text
    assert "LayerInformation(i_xt=2.0, i_ty=1.0)" in text
    theory = re.sub(r"<[^>]+>", "", (built[0] / "api_theory.html").read_text(encoding="utf-8"))
    assert "weight: ArrayLike" in theory
    assert "½ log₂ det(I + WᵀΣW / σ²)" in theory


def test_a_name_that_is_gone_breaks_the_build():
    import reference

    with pytest.raises(AttributeError, match="has no 'Rulr'"):
        reference.rst("ibcore", ["Rulr"])


# Rulers ---------------------------------------------------------------------------------------


def claim_rows():
    ledger = pages.read_ledger(BOOK / "results" / "ledger.json")
    return ledger, pages.links_of(pages.read_chapters())


def test_every_public_ruler_is_on_the_page_and_stays_so(tmp_path):
    text = rulers_page.rulers_page(*claim_rows(), "")
    for name in rulers_page.rulers():
        assert f"### {name}\n" in text
        assert f"| {rulers_page.reference(name)} |" in text
    shorter = tmp_path / "rulers.toml"
    whole = rulers_page.ruler_costs.RULERS.read_text(encoding="utf-8")
    shorter.write_text(whole[: whole.rindex("[[rulers]]")])
    with pytest.raises(ValueError, match="look at OnSomeRows"):
        rulers_page.read_texts(shorter)


def test_a_ruler_without_a_cost_is_refused(tmp_path):
    costs = tmp_path / "costs.json"
    costs.write_text('{"relative": {}}')
    with pytest.raises(ValueError, match=r"no cost of .*Binning.*ruler_costs\.py"):
        rulers_page.rulers_page({}, {}, "", costs)


def test_rulers_are_what_their_texts_say():
    """Each example is of its class, and a ruler that stands alone measures an array."""
    for name, text in rulers_page.read_texts().items():
        ruler = ib.estimators.from_name(text["example"])
        assert type(ruler).__name__ == name
        if not ruler.needs_run:
            assert len(ruler([[-0.9], [0.0], [0.5], [0.9]], [0, 0, 1, 1])) == 2


def test_findings_of_rulers_are_those_of_the_ledger():
    ledger, links = claim_rows()
    row = ledger["SAXE-F14"] | {"finding": "Something else."}
    text = rulers_page.rulers_page(ledger | {"SAXE-F14": row}, links, "")
    assert "Something else." in text
    with pytest.raises(ValueError, match="no claim SZT-F3"):
        rulers_page.rulers_page(ledger, {}, "")


# Status ---------------------------------------------------------------------------------------


def made_up(seconds, seeds, distrusted=(), started="2026-11-20T05:00:00+00:00"):
    run = origin.Run(
        name="x", digest="d", seeds=tuple(range(seeds)), settings={}, code="c0de", engine="fused",
        machine="A machine", versions={"numpy": "2"}, started=started, seconds=seconds, rulers=(),
    )  # fmt: skip
    return status_page.Stored(run=run, size=2000, distrusted=distrusted)


CHAPTER = SimpleNamespace(key="one", title="One", page="01_one", text="", claims=())


def test_the_status_counts_each_result_once_and_says_what_is_missing():
    """Two chapters that ask for one result, one that is not there, one that nobody asks for."""
    held = {
        "aa": made_up(3600, 10),
        "bb": made_up(7200, 5, ("Exact",), "2026-11-25T00:00:00+00:00"),
    }
    asked = {"one": {"tanh": "aa", "again": "aa", "relu": "cc"}}
    text = status_page.written([CHAPTER], held, asked, 3.0, "")
    assert (
        "2 results with 15 networks, computed from 2026-11-20 to 2026-11-25 in 3 hours of" in text
    )
    assert "In 1 of them some part was measured by code that has changed since." in text
    text = text.replace("\u2011", "-").replace("\u00a0", " ")
    assert "| One | 1 | 1 | 2026-11-20 | 2026-11-20 | 60 min |" in text
    assert "| tanh | `d` | 0–9 (10) | 2026-11-20 | 60 min | `c0de` | yes | 2 |" in text
    assert "| relu | `cc` |" in text
    assert "not computed yet" in text
    assert "all but Exact" in text.split("## Asked for by no chapter")[1]


def test_an_empty_book_has_a_status():
    assert "Nothing is stored yet." in status_page.written([CHAPTER], {}, {}, 0.0, "")


def test_unfinished_files_have_no_size(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"x" * 2_000_000)
    (tmp_path / "b.part").write_bytes(b"x" * 9)
    assert status_page.megabytes(tmp_path) == 2.0


# Citing ---------------------------------------------------------------------------------------


def test_every_chapter_can_be_cited():
    """BibTeX reads each entry, and finds titles, authors and version of CITATION.cff there."""
    chapters = pages.read_chapters()
    text = cite_page.cite_page(chapters, ROOT, "")
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    blocks = re.findall(r"```bibtex\n(.*?)```", text, flags=re.DOTALL)
    found = parse_string("\n".join(blocks), "bibtex").entries
    assert len(found) == 1 + len(chapters)
    assert found[cite_page.KEY].fields["title"].strip("{}") == said["title"]
    assert found[cite_page.KEY].fields["version"] == str(said["version"])
    for chapter in chapters:
        entry = found[f"{cite_page.KEY}_{chapter.key}"]
        assert entry.fields["title"].strip("{}").replace(r"\&", "&") == chapter.title
        assert entry.fields["booktitle"].strip("{}") == said["title"]
        assert [str(one) for one in entry.persons["author"]] == [
            f"{{{said['authors'][0]['name']}}}"
        ]


def test_papers_of_a_chapter_are_in_the_bibliography():
    known = set(re.findall(r"^@\w+\{([^,]+),", (BOOK / "references.bib").read_text(), re.M))
    cited = {one.key: cite_page.papers_cited(one) for one in pages.read_chapters()}
    assert {key for many in cited.values() for key in many} <= known
    assert "saxe2018information" in cited["saxe"]


# Archives -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archives")
    return folder, archive.write_archives(ROOT, folder)


def test_archives_hold_the_book_and_nothing_else(archives):
    """What git tracks, each file once, in one folder; results apart."""
    folder, (sources, results) = archives
    top = f"{archive.NAME}-{ib.__version__}/"
    names = []
    for one in (sources, results):
        with tarfile.open(folder / one.name) as tar:
            mine = [member.name.removeprefix(top) for member in tar]
            assert len(mine) == one.n_files
            assert {(m.uid, m.gid, m.uname, m.mtime) for m in tar} == {(0, 0, "", 0)}
        names.append(mine)
        assert hashlib.sha256((folder / one.name).read_bytes()).hexdigest() == one.sha256
    assert sorted(names[0] + names[1]) == archive.kept_files(ROOT)
    assert {"Makefile", "ibcore/__init__.py", "book/results/ledger.json", "LICENSE"} <= set(
        names[0]
    )
    assert all(name.startswith(archive.RESULTS) for name in names[1])
    assert sources.size < 8e6


def small_book(folder):
    for name, content in {
        ".gitignore": "# built\n_build/\n__pycache__/\n*.pyc\nbook/results/*.part.json\n",
        "ibcore/__init__.py": '__version__ = "1.2.3"\n',
        "ibcore/__pycache__/x.pyc": "",
        "_build/html/index.html": "",
        "book/results/x.part.json": "",
        "book/results/planes/a.zip": "a",
        "book/index.md": "# Title\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


KEPT = [".gitignore", "book/index.md", "book/results/planes/a.zip", "ibcore/__init__.py"]


def test_equal_books_give_equal_archives_with_and_without_git(tmp_path):
    """An unpacked archive that was built in gives the archive that it came from."""
    one, two = small_book(tmp_path / "one"), small_book(tmp_path / "two")
    subprocess.run(["git", "init", "-q"], cwd=one, check=True)
    subprocess.run(["git", "add", "."], cwd=one, check=True)
    assert archive.kept_files(one) == archive.kept_files(two) == KEPT
    assert archive.write_archives(one, tmp_path / "a") == archive.write_archives(
        two, tmp_path / "b"
    )
    name = "information-bottleneck-book-1.2.3.tar.gz"
    assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_library_installs_from_the_archive(archives, tmp_path):
    """As the page says, with what is installed here; then it measures, far from the book."""
    folder, (sources, _) = archives
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    options = ["--no-build-isolation", "--disable-pip-version-check", "--target", tmp_path]
    subprocess.run([*pip, *options, folder / sources.name], check=True, cwd=tmp_path)
    code = "import ibcore as ib; print(ib.__file__, ib.Exact()([[0.0], [1.0]], [0, 1]).i_xt)"
    environment = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd="/", capture_output=True, text=True
    )
    assert done.stdout.split() == [str(tmp_path / "ibcore" / "__init__.py"), "1.0"], done.stderr


# What the pages tell the reader to type -------------------------------------------------------


def commands():
    """Lines of the shell blocks of these pages."""
    texts = [get_it_page.get_it_page(ROOT, execute.chapters()[0].stem, ""), *map(_text, API)]
    blocks = [block for text in texts for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]
    return [line for block in blocks for line in block.splitlines()], "\n".join(texts)


def _text(path):
    return path.read_text(encoding="utf-8")


def test_commands_name_what_exists(archives):
    """Targets of make, subcommands with their options, claims, notebooks, archives."""
    from typer.main import get_command

    from ibcore.cli import app

    lines, text = commands()
    targets = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.M))
    assert {"book", "site"} <= set(re.findall(r"`?make ([\w-]+)", text)) <= targets
    known = get_command(app).commands
    for line in lines:
        kind = line.split()[0]
        assert kind in {"tar", "cd", "make", "source", "papermill", "python"}, line
        if match := re.match(r"python -m ibcore (\w+)(.*)", line):
            options = {name for one in known[match[1]].params for name in one.opts}
            assert set(re.findall(r"--[\w-]+", match[2])) <= options
            assert all(map(claims.find_claim, re.findall(r"\b[A-Z]+-\w+", match[2])))
        if kind == "papermill":
            assert (ROOT / re.search(r"\S+\.ipynb", line)[0]).exists()
    offered = {one.name for one in archives[1]}
    assert set(re.findall(r"\S+\.tar\.gz", "\n".join(lines))) == offered


def test_what_needs_what_is_complete():
    """Each direct dependency has its version and its reason on the page."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rows = get_it_page.needs(ROOT, project).splitlines()[2:]
    direct = {
        *project["dependencies"],
        *(one for many in project["optional-dependencies"].values() for one in many),
    }
    assert len(rows) == len(direct)
    assert [row for row in rows if "| – |" in row or row.endswith("|  |")] == []


@pytest.mark.parametrize("page", ["rulers", "status", "get_it", "cite"])
def test_no_page_says_today(page):
    """Equal results give equal pages: no word depends on when they were written."""
    source = (BOOK / "_tools" / f"{page}_page.py").read_text(encoding="utf-8")
    assert not re.search(r"\b(datetime|time\.time|date\.today|now\()", source)
