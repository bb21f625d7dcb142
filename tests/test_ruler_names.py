"""Names of rulers: each leads back to its ruler, and none that is code is ever run."""

import ast
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from known_rulers import EXACT, LEARN, NEED_A_RUN, SETTINGS, SMOOTH, rulers

import ibcore
from ibcore import estimators
from ibcore.estimators import Binning, Exact, KernelBound, OnTrainingRows, Ruler, from_name
from ibcore.estimators.base import REGISTRY
from ibcore.kinds import shown

PACKAGE = Path(ibcore.__file__).parent
OF_IBCORE = {name for name, kind in REGISTRY.items() if kind.__module__.startswith("ibcore.")}

# ------------------------------------------------------------------------------- names lead back


def test_every_ruler_of_ibcore_is_known_to_these_tests():
    """One line each: in SETTINGS, and in EXACT or SMOOTH, or among those with own tests."""
    known = {kind.__name__ for kind in SETTINGS} | {"Binning", "OnSomeRows", "OnTrainingRows"}
    assert known == OF_IBCORE
    laid = {type(one).__name__ for one in (*EXACT, *(smooth.ruler for smooth in SMOOTH))}
    assert laid | {*NEED_A_RUN, *LEARN} == OF_IBCORE
    assert set(estimators.__all__) >= OF_IBCORE
    assert all(hasattr(ibcore, name) for name in OF_IBCORE)


@settings(max_examples=300)
@given(ruler=rulers)
def test_the_name_of_a_ruler_leads_back_to_it(ruler):
    """from_name(repr(r)) == r, of the same class, for any settings."""
    again = from_name(repr(ruler))
    assert type(again) is type(ruler)
    assert again == ruler
    assert repr(again) == repr(ruler)


@settings(max_examples=100)
@given(ruler=rulers)
def test_numbers_of_numpy_become_plain(ruler):
    """The repr is a name: np.float64(0.1) or np.int64(3) in it would be read by nobody."""
    kinds = {int: np.int64, float: np.float64, str: np.str_}
    given_ = {
        one.name: kinds.get(type(getattr(ruler, one.name)), lambda same: same)(
            getattr(ruler, one.name)
        )
        for one in fields(ruler)
        if getattr(ruler, one.name) is not None and getattr(ruler, one.name) != 2**63
    }
    again = type(ruler)(**given_)
    assert "np." not in repr(again)
    assert all(type(getattr(again, name)) in (int, float, str, bool, tuple) or isinstance(
        getattr(again, name), Ruler) for name in given_)  # fmt: skip


def test_the_repr_is_written_as_one_would():
    assert repr(Binning(n_bins=np.int64(30), low=-1, high=1)) == (
        "Binning(n_bins=30, low=-1.0, high=1.0)"
    )
    assert repr(Binning(width=np.float64(0.07))) == "Binning(width=0.07)"
    assert repr(KernelBound(np.array([0.1, 1]), bound=np.str_("lower"))) == (
        "KernelBound(noise_variance=(0.1, 1.0), bound='lower')"
    )
    assert from_name("OnTrainingRows(KernelBound(0.1))") == OnTrainingRows(KernelBound(0.1))
    assert from_name(" Exact( ) ") == Exact()


# ------------------------------------------------------------------------------ names that are code

CODE = [
    # the one that ran a shell command from a result file
    "Binning() if [c for c in ().__class__.__base__.__subclasses__() if c.__name__=="
    "'_wrap_close'][0].__init__.__globals__['system']('touch PWNED') else Binning()",
    "__import__('os').system('touch PWNED')",
    "Binning(n_bins=__import__('os').system('touch PWNED'))",
    "Exact().__class__.__base__()",
    "Exact.__call__()",
    "(lambda: Exact())()",
    "[Exact() for _ in range(3)][0]",
    "Binning(width=[x for x in (0.1,)][0])",
    "Binning(width=(lambda: open('PWNED', 'w'))())",
    'Binning(width=f\'{open("PWNED", "w")}\')',
    "Binning(width=open('PWNED', 'w'))",
    "Binning(width=0.1 if open('PWNED', 'w') else 0.2)",
    "Binning(width=(w := 0.1))",
    "Binning(*[30])",
    "Binning(**{'width': 0.1})",
    "Binning(width=2**-3)",
    "Exact(), Exact()",
    "Exact; Exact()",
    "import os",
    "exec('1')",
    "eval('Exact()')",
    "Ruler()",
    "CountingRuler()",
    "LayerInformation(1, 2)",
    "_KnownTeacher()",
    "Exact",
    "'Exact()'",
    "",
    "()" * 500,
    "OnTrainingRows(" * 130,
    "OnTrainingRows(" * 100 + "Exact()" + ")" * 100,
    "(" * 1999,
    "-" * 1999 + "1",
    "Binning(width=" + "-" * 1900 + "1)",
    "Binning(n_bins=" + "9" * 1900 + ")",
    "Exact()" + " " * 10**6,
    "[" * 10**6,
    "Exact()\0",
    "\0",
    "Exact()\ud800",
    "Exact()\n\n  Exact()",
    "Binning(n_bins='\\x')",
]


@pytest.mark.parametrize("name", CODE, ids=lambda name: name[:24])
def test_a_name_that_is_code_is_refused_and_not_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"names no estimator|no estimator has the name") as error:
        from_name(name)
    assert len(str(error.value)) < 3000
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [None, 3, b"Exact()", ["Exact()"], Exact(), 10**9000], ids=shown)
def test_a_name_is_a_text(name):
    with pytest.raises(ValueError, match="no estimator has the name"):
        from_name(name)


def test_a_refusal_says_what_there_is():
    with pytest.raises(ValueError, match=r"'Exakt\(\)' names no estimator \(no class Exakt\); there"
                       r" are AdaptiveBinning, BernoulliDropout, .*UsableInformation"):  # fmt: skip
        from_name("Exakt()")
    with pytest.raises(ValueError, match=r"\(width must be positive, got -1.\)"):
        from_name("Binning(width=-1)")
    with pytest.raises(ValueError, match=r"unexpected keyword argument 'bins'"):
        from_name("Binning(bins=3)")
    with pytest.raises(ValueError, match=r"settings are written one by one"):
        from_name("Binning(**{'width': 0.1})")


def _unsafe(tree):
    """Calls that run or unpickle what they are given, and imports of those that do."""
    runs = {"eval", "exec", "compile", "__import__", "execfile"}
    loads = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            arguments = {one.arg: ast.unparse(one.value) for one in node.keywords}
            if called in runs or called in ("yaml.load", "torch.load", "pandas.read_pickle"):
                yield called
            if arguments.get("allow_pickle", "False") != "False":
                yield "allow_pickle"
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (name for name in names if name.split(".")[0] in loads)


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')", "exec('1')", "import pickle", "from pickle import load", "torch.load('f')",
        "yaml.load(f)", "np.load(f, allow_pickle=True)", "np.load(f, allow_pickle=safe)",
        "def f(): import dill.source", "__import__('os')",
    ],
)  # fmt: skip
def test_unsafe_code_would_be_found(code):
    assert list(_unsafe(ast.parse(code)))


def test_nothing_in_the_package_runs_or_unpickles_what_it_reads():
    """No eval, exec, pickle, yaml.load, torch.load, allow_pickle; ``module.eval()`` is torch's."""
    found = {
        str(path.relative_to(PACKAGE)): sorted(_unsafe(ast.parse(path.read_text(encoding="utf-8"))))
        for path in PACKAGE.rglob("*.py")
    }
    assert len(found) > 50
    # workers.py hands tasks to workers that the same reader started; it reads no file
    allowed = {"workers.py": ["cloudpickle", "pickle"]}
    assert {path: what for path, what in found.items() if what} == allowed
