"""Faults F1 to F14 of a review of files, folders, command lines and environment variables.

Each test says how the fault is provoked, what happens now, and what is lost. Those of killed
processes and of processes that meet (F4, F7) are in ``test_killed``; texts that become markup (F13)
in ``test_escaping``.
"""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from ibcore import claims, cli, commands, experiments, files, plane
from ibcore.__main__ import environment_fault
from ibcore.config import Experiment
from ibcore.estimators import Binning, Exact, KernelBound, LabelBound
from ibcore.observables import OBSERVABLES
from ibcore.plane.files import load_pack
from ibcore.results import memory, run
from ibcore.results import store as shelves
from ibcore.results.store import Store, read_certificates
from ibcore.training import Trajectory

PAPERS = Path(__file__).parents[1] / "book" / "papers"
BASE = {
    "task": "szt",
    "hidden_widths": [4, 3],
    "n_seeds": 3,
    "n_epochs": 4,
    "n_measured_epochs": 3,
    "batch_size": "full",
    "learning_rate": 0.01,
}
CHAPTER = {
    "chapter": {"number": 1, "n_bins": 30, "observables": ["performance"], "weights": []},
    "base": BASE,
    "profiles": {"paper": {}, "smoke": {}},
    "experiments": {"small": {}, "other": {"learning_rate": 0.02}},
}
SMALL = Experiment(**BASE | {"batch_size": None})
OTHER = SMALL.replace(learning_rate=0.02)
RULER = Binning(n_bins=30, low=-1.0, high=1.0)
COMMANDS = {
    "run": ("run", "shwartz_ziv", "--only", "small"),
    "info": ("info", "small"),
    "compare": ("compare", "shwartz_ziv"),
    "certify": ("certify", "shwartz_ziv"),
}
every_command = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """Both experiments of the small chapter, in blocks of two seeds."""
    folder = tmp_path_factory.mktemp("computed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shelves, "BLOCK", 2)
        for one in (SMALL, OTHER):
            performance = [OBSERVABLES["performance"]]
            run.load_or_run(one, [RULER], performance, store=Store(folder), progress=False)
    return folder


@pytest.fixture(autouse=True)
def chapter(tmp_path, monkeypatch):
    """The first chapter has two small experiments, and nothing is published."""
    monkeypatch.setattr(shelves, "BLOCK", 2)
    monkeypatch.setattr(experiments, "read_toml", lambda path: CHAPTER)
    monkeypatch.setattr(experiments, "paper_file", lambda paper, name: tmp_path / name)
    for module in (experiments, commands, cli):
        monkeypatch.setattr(module, "papers", lambda: ("shwartz_ziv",))
    (tmp_path / "book").mkdir()
    monkeypatch.setenv("IBCORE_BOOK", str(tmp_path / "book"))
    monkeypatch.setenv("IBCORE_PAPERS", str(PAPERS))
    monkeypatch.setenv("IBCORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("IBCORE_PROGRESS", "0")


@pytest.fixture
def results(computed, tmp_path):
    """A copy of what was computed, to be spoilt."""
    return shutil.copytree(computed, tmp_path / "results")


@pytest.fixture
def no_training(monkeypatch):
    """Nothing may be computed."""

    def refuse(*_, **__):
        raise AssertionError("a network was trained")

    monkeypatch.setattr(run, "train", refuse)


def ask(*arguments, code=0):
    """What the command line printed."""
    done = CliRunner().invoke(cli.app, [str(one) for one in arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def refused(*arguments):
    """The one line with which the command line refuses; what it prints before is no error."""
    *before, last = ask(*arguments, code=2).splitlines()
    assert last.startswith("error: ")
    assert not any(line.startswith(("error", "Traceback", " ")) for line in before)
    return last


def command_line(command, folder):
    return (*COMMANDS[command], "--results", folder)


def part_of(folder, experiment=SMALL):
    return min(folder.glob(f"planes/{experiment.digest()}/*.nc"))


# F1


@every_command
def test_f1_a_ruler_name_that_is_code_is_refused(results, tmp_path, monkeypatch, command):
    """Provoked: a file with checksums of its own whose ruler is called by a program. Now: refused
    by name, and the program did not run. Lost: nothing; the file stays as it is.
    """
    monkeypatch.chdir(tmp_path)
    reach = "().__class__.__base__.__subclasses__()"
    code = f"Binning() if [c for c in {reach} if open('PWNED', 'w')] else Binning()"
    path = part_of(results)
    plane.save(plane.load(path).assign_coords(estimator=[code]), path)
    forged = path.read_bytes()
    said = refused(*command_line(command, results))
    assert f"{path} is not the plane of {SMALL.digest()}" in said
    assert "as none calls itself" in said
    assert not (tmp_path / "PWNED").exists()
    assert path.read_bytes() == forged


# F2 and F3


@every_command
def test_f2_a_plane_under_another_name_is_refused(results, command):
    """Provoked: the folder of one experiment renamed to another's. Now: refused, with both digests.
    Lost: nothing; renamed back it is read again.
    """
    folder = results / "planes" / SMALL.digest()
    shutil.rmtree(folder)
    (results / "planes" / OTHER.digest()).rename(folder)
    said = refused(*command_line(command, results))
    assert str(folder) in said
    assert f"is not the plane of {SMALL.digest()}" in said
    assert f"it is that of {OTHER.digest()}" in said


def test_f3_weights_under_another_name_are_refused(results, no_training):
    """Provoked: the weights of another learning rate in the folder of an experiment whose numbers
    are not there. Now: refused, with both digests, and no plane is made of them. Lost: nothing.
    """
    folder = results / "weights" / SMALL.digest()
    shutil.rmtree(results / "planes" / SMALL.digest())
    shutil.rmtree(folder)
    (results / "weights" / OTHER.digest()).rename(folder)
    said = refused(*command_line("run", results))
    assert f"{folder}/seeds-0000-0001.npz holds weights of {OTHER.digest()}, not of" in said
    assert not list(results.glob(f"planes/{SMALL.digest()}/*"))


# F5 and F6


def mount(*arguments):
    """Whether a file system could be mounted, for which one must be root."""
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode == 0


def used(folder):
    """Bytes on a disk whose pages have 4096."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(-(-size // 4096) * 4096 for size in sizes)


@pytest.fixture(params=["a disk", "a stand-in"])
def small_disk(request, tmp_path, monkeypatch):
    """A folder on a disk without much room, and a function that sets the room.

    Where nothing may be mounted the disk is a stand-in too: the call that brings a file to the disk
    fails as if that were full.
    """
    folder, room = tmp_path / "disk", [1 << 20]
    folder.mkdir()
    real = os.fsync

    def fsync(file):
        if used(folder) > room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file)

    def set_room(n_bytes):
        room[0] = n_bytes
        if mounted:
            assert mount("-o", f"remount,size={n_bytes}", folder)

    mounted = request.param == "a disk" and mount("-t", "tmpfs", "-o", "size=1m", "none", folder)
    if not mounted:
        monkeypatch.setattr(files.os, "fsync", fsync)
    yield folder, set_room
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def kept(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.n[cp]*")}


ROOM = [12, *[pytest.param(size, marks=pytest.mark.long) for size in (0, 4, 8)]]


@pytest.mark.parametrize("kilobytes", ROOM)
def test_f5_a_full_disk(small_disk, computed, monkeypatch, kilobytes):
    """Provoked: a disk with room for the first file or files of a result, of which there are four
    (weights and numbers of two blocks). Now: one line that names the file, exit code 2, no part of
    a file; with room made it ends well. Lost: nothing; what was finished is not made again.
    """
    folder, set_room = small_disk
    monkeypatch.setenv("IBCORE_CACHE", str(folder))
    set_room(max(kilobytes, 1) * 1024)
    said = refused(*command_line("run", folder))
    assert re.search(rf"cannot write {folder}/\S+: the disk is full; make room and run aga", said)
    finished = kept(folder)
    assert len(finished) < 4
    assert kilobytes == 0 or finished
    assert sorted(finished) == sorted(path for path in folder.rglob("*") if path.is_file())
    set_room(1 << 20)
    ask(*command_line("run", folder))
    assert finished.items() <= kept(folder).items()
    for path in kept(computed / "planes" / SMALL.digest()):
        whole = plane.load(path)
        (mine,) = folder.glob(f"planes/*/{path.name[:9]}*")
        xr.testing.assert_identical(plane.load(mine).drop_attrs(), whole.drop_attrs())


@pytest.fixture
def read_only(results):
    """Results in a folder that cannot be written to; for root, on a disk that cannot."""
    results.chmod(0o555)
    mounted = os.access(results, os.W_OK) and mount("--bind", results, results)
    if mounted:
        assert mount("-o", "remount,bind,ro", results)
    if os.access(results, os.W_OK):  # root who may not mount: there is a file in the way
        for name in ("planes", "weights"):
            (results / name).rename(results.with_name(name))
        results.rmdir()
        results.write_text("a file")
    yield results
    if mounted:
        subprocess.run(["umount", "-l", str(results)], check=True)
    if results.is_dir():
        results.chmod(0o755)


def test_f6_a_folder_that_cannot_be_written_is_noticed_before_any_work(
    read_only, tmp_path, monkeypatch, no_training
):
    """Provoked: --results on a read-only disk, then IBCORE_CACHE; with networks that are not
    stored, then with a chapter to be judged. Now: one line, exit code 2, before anything is
    computed. Lost: nothing.
    """
    monkeypatch.setitem(CHAPTER["experiments"], "more", {"learning_rate": 0.03})
    wanted = rf"cannot write {read_only}\S*: .* name another (folder|one)"
    more = ("run", "shwartz_ziv", "--only", "more")
    assert re.search(wanted, refused(*more, "--results", read_only))
    assert re.search(wanted, refused("run", "shwartz_ziv", "--results", read_only))
    monkeypatch.setenv("IBCORE_CACHE", str(read_only))
    assert re.search(wanted, refused(*more, "--results", tmp_path / "mine"))


@every_command
def test_f6_a_read_only_folder_is_read(read_only, no_training, command):
    """Provoked: commands that find all they need in a read-only folder. Now: they work; where the
    folder is a file, that is said. Lost: nothing.
    """
    if read_only.is_dir():
        known = {"compare": "0 of 0 verdicts", "certify": "small: current", "info": "seeds"}
        assert known.get(command, "small: yours") in ask(*command_line(command, read_only))
    else:
        assert "--results names a folder" in refused(*command_line(command, read_only))


# F8 and F9


@pytest.fixture
def ledger(tmp_path):
    """A published ledger of one theorem."""
    path = tmp_path / "book" / "results" / "ledger.json"
    claims.write_ledger(path, [claims.judge("SZT-S3.1")])
    return path


def test_f8_an_edited_ledger_is_not_shown(ledger):
    """Provoked: a word of a verdict changed. Now: refused by ``claims``, with the file. Lost:
    nothing; the line says how to judge again.
    """
    assert "holds" in ask("claims")
    ledger.write_text(ledger.read_text().replace('"holds"', '"fails"'))
    for command in (["claims"], ["claims", "SZT-S3.1"]):
        said = refused(*command)
        assert f"{ledger}: SZT-S3.1" in said
        assert "judge again" in said


DAMAGED = ["[1]", "null", "[{}]", '{"certificates": [], "content_hash": "0"}', "\xff"]


@pytest.mark.parametrize(
    ("command", "content"),
    [*(("info", content) for content in DAMAGED), *((one, "") for one in COMMANDS)],
)
def test_f9_a_damaged_file_of_certificates_is_named(results, command, content):
    """Provoked: certificates.json empty, of another form, edited, no text. Now: one line with its
    name from every command that asks for trust. Lost: nothing.
    """
    path = results / "certificates.json"
    path.write_bytes(content.encode("latin-1"))
    stored = plane.load(part_of(results))
    plane.save(stored.assign_attrs(code='{"network": "0"}'), part_of(results))
    assert f"{path} is damaged" in refused(*command_line(command, results))


# F10 to F12


@pytest.mark.parametrize("ruler", [KernelBound(1e-3), LabelBound(1e-3), Exact()])
def test_f10_labels_that_are_not_0_to_n(ruler):
    """Provoked: classes called 0, 500 000 and 1 000 000. Now: the information of classes 0, 1, 2.
    Lost: nothing.
    """
    t = np.random.default_rng(0).normal(size=(60, 2))
    y = np.arange(60) % 3
    assert ruler(t, 500_000 * y) == ruler(t, y)


@pytest.mark.parametrize(
    "changes", [{"hidden_widths": 10}, {"n_epochs": None}, {"n_epochs": np.inf}, {"n_seeds": 10**9}]
)
def test_f11_a_mistaken_field_is_a_sentence(changes):
    """Provoked: wrong kinds and sizes. Now: a ValueError that names the field. Lost: nothing."""
    with pytest.raises(ValueError, match=rf"^{next(iter(changes))} must be .*; got "):
        SMALL.replace(**changes)


def test_f12_what_cannot_fit_into_memory_is_said_before_any_work(monkeypatch, tmp_path):
    """Provoked: sizes that are legal and too large, for any machine and for this one. Now: what
    takes how much, how much there is and what to change. Lost: nothing, not even a minute.
    """
    huge = SMALL.replace(hidden_widths=(65_536,), n_epochs=10**8, n_measured_epochs=10**5)
    with pytest.raises(
        ValueError, match=r"weights of 2 networks at \d+ measured epochs take .* Gi"
    ):
        run.run(huge, [RULER], progress=False)
    (tmp_path / "limit").write_text("1000000\n")
    monkeypatch.setattr(memory, "LIMITS", (str(tmp_path / "limit"),))
    wide = SMALL.replace(hidden_widths=(64,))
    with pytest.raises(ValueError, match=r"activations of one network on 4096 inputs take .*0\.00"):
        run.run(wide, [RULER], progress=False)
    (tmp_path / "limit").write_text("max\n")
    assert memory.memory() > 1e8


@pytest.mark.parametrize("said", ["", "Unable to allocate 74.5 GiB for an array"])
def test_f12_memory_that_ends_is_a_sentence(tmp_path, monkeypatch, said):
    """Provoked: training runs out of memory. Now: one line, exit code 2. Lost: nothing."""

    def too_large(*_, **__):
        raise MemoryError(*([said] if said else []))

    monkeypatch.setattr(run, "train", too_large)
    line = refused(*command_line("run", tmp_path / "mine"))
    assert "this does not fit into memory" in line
    assert f"({said})" in line or not said
    assert "take fewer networks" in line


# F14


def test_f14_a_file_that_is_no_plane_is_not_to_be_deleted(results):
    """Provoked: ``info`` and ``compare`` on /etc/passwd. Now: it is no plane; no word of deleting
    it. A plane cut short still is one, and damaged. Lost: nothing.
    """
    for command in (("info",), ("compare", "shwartz_ziv")):
        said = refused(*command, "/etc/passwd")
        assert "/etc/passwd is no file of a plane" in said
        assert "delete" not in said.lower()
    path = part_of(results)
    path.write_bytes(path.read_bytes()[:-7])
    assert f"{path} is damaged" in refused("info", path)


def test_f14_folders_and_files_in_each_others_places(results):
    """Provoked: a folder where a plane is asked for, or lies; a file as --results. Now: each is
    called what it is. Lost: nothing.
    """
    assert f"{results} is a folder" in refused("info", results)
    assert f"{results} is a folder" in refused("compare", "shwartz_ziv", results)
    for command in [*COMMANDS.values(), ("list",)]:
        said = refused(*command, "--results", "/etc/passwd")
        assert said == "error: --results names a folder, and /etc/passwd is none."
    path = part_of(results)
    path.unlink()
    path.mkdir()
    assert str(path) in refused("info", "small", "--results", results)


def test_f14_a_folder_without_results(tmp_path):
    """Provoked: ``certify --results`` on a folder that is not there. Now: that is said, with exit
    code 2. Lost: nothing; no folder is made.
    """
    said = refused("certify", "--results", tmp_path / "nowhere")
    assert f"no result in {tmp_path}/nowhere" in said
    assert not (tmp_path / "nowhere").exists()


def test_f14_the_version():
    """Provoked: ``--version``. Now: it is shown."""
    assert re.fullmatch(r"ibcore \d+\.\d+\.\d+\n", ask("--version"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("IBCORE_BOOK", "/nonexistent", "the folder named in IBCORE_BOOK is not there"),
        ("IBCORE_DATA", "/nonexistent", "the folder named in IBCORE_DATA is not there"),
        ("IBCORE_PAPERS", "/nonexistent", "the folder named in IBCORE_PAPERS is not there"),
        ("IBCORE_CACHE", "/etc/passwd", "IBCORE_CACHE must name a folder"),
        ("NUMBA_NUM_THREADS", "0", "NUMBA_NUM_THREADS must be a whole number of at least 1"),
        ("NUMBA_NUM_THREADS", "abc", "NUMBA_NUM_THREADS must be a whole number of at least 1"),
    ],
)
def test_f14_a_wrong_variable_is_named(name, value, said):
    """Provoked: variables of the environment. Now: a line that names the one that is wrong; before,
    a traceback of another package or, for a wrong folder, nothing. Lost: nothing.
    """
    assert said in environment_fault({name: value})
    assert repr(value) in environment_fault({name: value})


def interruptible():
    """A shell that starts its jobs in the background lets them ignore Ctrl-C; undo that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def started(*arguments, **environment):
    """``python -m ibcore`` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
        cwd=Path(__file__).parents[1],
        preexec_fn=interruptible,
    )


def test_f14_the_variables_are_looked_at_first():
    """Before any package is imported that would stumble over one."""
    process = started("-m", "ibcore", "list", NUMBA_NUM_THREADS="0")
    said = process.communicate()[1]
    assert process.returncode == 2
    assert said == "error: NUMBA_NUM_THREADS must be a whole number of at least 1, got '0'.\n"
    assert environment_fault({"IBCORE_BOOK": "", "IBCORE_CACHE": "/tmp/new"}) is None


def test_f14_nobody_reads_on():
    """Provoked: ``list | head``, the pipe closed, and a backend that matplotlib does not have. Now:
    an end without a word. Lost: nothing.
    """
    process = started("-m", "ibcore", "list", MPLBACKEND="nonsense")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 1


def test_f14_ctrl_c_while_packages_are_imported():
    """Provoked: SIGINT as soon as NumPy is being imported. Now: exit code 130, no traceback. Lost:
    nothing.
    """
    process = started("-X", "importtime", "-m", "ibcore", "list")
    for line in process.stderr:
        if "numpy" in line:
            process.send_signal(signal.SIGINT)
            break
    rest = process.communicate()[1]
    assert process.returncode == 130
    assert "Traceback" not in rest
    assert rest.splitlines()[-1] == "Aborted!"


# Every bit


@pytest.fixture(scope="module")
def sealed(computed, tmp_path_factory):
    """Files of every kind: each with what it belongs to and how it is read."""
    folder = tmp_path_factory.mktemp("sealed")
    one = plane.load(part_of(computed))
    weights = min(computed.glob("weights/*/*.npz"))
    store = Store(folder)
    store.add_certificate("0" * 16, {"network": ["1" * 16]}, {"network": "2" * 16})
    claims.write_ledger(folder / "ledger.json", [claims.judge("SZT-S3.1")])
    return {
        "plane": (plane.save(one, folder / "plane.nc"), plane.load),
        "pack": (plane.save_pack({"0" * 16: one}, folder / "pack.zip"), load_pack),
        "weights": (Path(shutil.copy(weights, folder)), Trajectory.load),
        "certificates": (folder / "certificates.json", lambda path: read_certificates(path.parent)),
        "ledger": (folder / "ledger.json", claims.load_ledger),
        "tests behind the ledger": (
            folder / "verdicts" / "shwartz_ziv.json",
            lambda path: claims.load_ledger(path.parents[1] / "ledger.json"),
        ),
    }


def reading(read, path):
    """What a file holds, or why it is refused."""
    try:
        return read(path), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("n_flips", [40, pytest.param(4000, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "kind", ["plane", "pack", "weights", "certificates", "ledger", "tests behind the ledger"]
)
def test_every_flipped_bit_is_refused(sealed, kind, n_flips):
    """By the file's name. In JSON an e may be an E: then it is the same content, value by value."""
    path, read = sealed[kind]
    content = path.read_bytes()
    before = read(path)
    n_bits = 8 * len(content)
    bits = np.random.default_rng(n_flips).permutation(n_bits)[:n_flips]
    try:
        for bit in bits.tolist():
            spoilt = bytearray(content)
            spoilt[bit // 8] ^= 1 << bit % 8
            path.write_bytes(spoilt)
            found, said = reading(read, path)
            assert path.name in said or (path.suffix == ".json" and found == before)
    finally:
        path.write_bytes(content)
