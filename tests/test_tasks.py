"""Tasks, held against the original files, the stated facts and brute force."""

import ast
import gzip
import os
import threading
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibcore import config, tasks
from ibcore.information import entropy, mutual_information
from ibcore.labels import label_distribution
from ibcore.tasks import (
    LOADERS,
    Fact,
    icosahedron,
    images,
    load_task,
    load_var_u,
    module_of,
    szt_facts,
)
from ibcore.tasks.facts import Y_SHA256

BOOLEAN = ("szt", "szt_soft", "g1", "g2", "random", "parity")
EMBEDDED = (*BOOLEAN, "digits")

needs_data = pytest.mark.skipif(
    "IBCORE_DATA" not in os.environ, reason="IBCORE_DATA names no folder with the original files"
)


def data(*parts):
    """Path of an original file."""
    return Path(os.environ["IBCORE_DATA"], *parts)


def by_hand(row):
    """f(x) of one input from the coordinates of the vertices: the slow twin of `height`."""
    marked = icosahedron.vertices()[icosahedron.all_inputs()[row] == 1]
    return len(marked) + np.linalg.norm(marked.sum(axis=0))


def test_every_name_has_its_loader():
    """What tasks.toml points to is there, and lies in the module that counts as the task's own."""
    assert tuple(LOADERS) == config.TASKS
    for name, loader in LOADERS.items():
        assert loader.__module__ == module_of(name)


def test_who_asks_for_one_task_reaches_no_other():
    """Results are identified by the code that they reach by import: here, base alone."""
    source = Path(tasks.__file__).read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(source)))
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    imported |= {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
    assert {name for name in imported if name.startswith("ibcore")} == {
        "ibcore.config",
        "ibcore.kinds",
        "ibcore.tasks.base",
    }


def test_names_of_single_tasks_are_found_when_asked_for():
    assert tasks.szt_facts is szt_facts
    assert tasks.icosahedron is icosahedron
    with pytest.raises(AttributeError, match="no attribute 'szt_fact'"):
        _ = tasks.szt_fact


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_task_has_the_promised_shapes_and_types(name):
    """X is (sample, feature) float32, y is (sample,) classes or P(y=1|x); both read-only."""
    task = load_task(name)
    assert task.name == name
    assert task.x.dtype == np.float32
    assert task.x.ndim == 2
    assert task.x.min() == 0
    assert task.x.max() == 1
    assert task.y.shape == (len(task.x),)
    assert task.y.dtype == (np.float64 if task.is_soft else np.int64)
    with pytest.raises(ValueError, match="read-only"):
        task.y[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        task.x[0, 0] = 1


@pytest.mark.parametrize("name", EMBEDDED)
def test_information_of_a_task_is_that_of_its_table(name):
    """I(X;Y) and H(Y) of the joint table of rows and labels, every row equally probable."""
    task = load_task(name)
    p_xy = label_distribution(task.y, task.n_classes) / len(task.y)
    assert task.information == pytest.approx(mutual_information(p_xy), abs=1e-9)
    assert task.label_entropy == pytest.approx(entropy(p_xy.sum(axis=0)), abs=1e-9)
    assert len(np.unique(task.x, axis=0)) == len(task.x), "equal rows would share information"


def test_a_task_is_loaded_once():
    """The same name gives the same object."""
    assert load_task("szt") is load_task("szt")
    assert load_task("szt") is not load_task("random")


def test_the_arms_of_the_spiral_meet_in_the_centre():
    """Of 1500 points three lie at (0, 0), one of each arm: nobody can tell them apart."""
    task = load_task("spiral")
    assert task.label_entropy == pytest.approx(np.log2(3), abs=1e-12)
    assert task.information == pytest.approx(np.log2(3) * (1 - 3 / 1500), abs=1e-12)


@pytest.mark.parametrize("name", ["pokemon", "pokemon_minmax"])
def test_no_two_sightings_of_the_stand_in_are_equal(name):
    task = load_task(name)
    assert task.information == task.label_entropy


def test_an_unknown_task_is_refused_with_the_names():
    """The error lists what can be loaded."""
    with pytest.raises(ValueError, match="no task is called 'mnst'; the tasks are szt, szt_soft"):
        load_task("mnst")


@needs_data
@pytest.mark.parametrize(("name", "file"), [("szt", "var_u"), ("g1", "g1"), ("g2", "g2")])
def test_rules_give_the_original_files(name, file):
    """The rule regenerates inputs and labels of the original file, every one of them."""
    x, y = load_var_u(data("szt", f"{file}.mat"))
    np.testing.assert_array_equal(load_task(name).x, x)
    np.testing.assert_array_equal(load_task(name).y, y)


def test_labels_have_the_stated_fingerprint():
    """The labels are those of the original file, by SHA-256."""
    labels = load_task("szt").y.astype(np.uint8)
    assert sha256(labels.tobytes()).hexdigest() == Y_SHA256


def test_a_file_with_other_content_is_refused(tmp_path):
    """load_var_u says which arrays it expected and which came."""
    from scipy.io import savemat

    savemat(tmp_path / "odd.mat", {"F": np.zeros((3, 12)), "labels": np.zeros(3)})
    with pytest.raises(ValueError, match=r"expected F \(4096, 12\).*got {'F': \(3, 12\)}"):
        load_var_u(tmp_path / "odd.mat")


def test_a_small_file_in_the_original_layout_is_read(tmp_path):
    """F (4096, 12) and y (1, 4096), as in the original, come back as x and a flat y."""
    from scipy.io import savemat

    task = load_task("parity")
    layout = {"F": task.x.astype(np.uint8), "y": task.y.astype(np.uint8)[None]}
    savemat(tmp_path / "p.mat", layout)
    x, y = load_var_u(tmp_path / "p.mat")
    np.testing.assert_array_equal(x, task.x)
    np.testing.assert_array_equal(y, task.y)


@pytest.mark.parametrize("fact", szt_facts(), ids=lambda fact: fact.name)
def test_stated_facts_hold(fact):
    """Claim SZT-S3.1: each number stated about the 12-bit task is found again."""
    assert fact.holds, f"{fact.name}: found {fact.found}, expected {fact.expected}"


def test_a_wrong_fact_does_not_hold():
    """The check can fire."""
    assert not Fact("ones", found=3.0, expected=4.0, tolerance=0.5).holds
    assert not Fact("ones", found=float("nan"), expected=4.0, tolerance=0.5).holds


def test_soft_labels_round_to_the_hard_ones():
    """P(y=1|x) > 1/2 exactly where y = 1, and the noise is all but nil far from 7.6."""
    soft, hard = load_task("szt_soft").y, load_task("szt").y
    np.testing.assert_array_equal(soft > 0.5, hard)
    assert np.abs(soft - hard).max() == pytest.approx(1 / (1 + np.exp(57.05 * 0.0372226)), rel=1e-4)
    assert len(np.unique(icosahedron.height())) == 53


def test_random_labels_are_a_reordering_without_information_about_the_old_ones():
    """As many ones as the original; I(old; new) is that of chance, 1 / (2 N ln 2) on average."""
    old, new = load_task("szt").y, load_task("random").y
    assert old.sum() == new.sum()
    table = np.zeros((2, 2))
    np.add.at(table, (old, new), 1 / 4096)
    assert mutual_information(table) < 10 / (2 * 4096 * np.log(2))


def test_every_bit_of_parity_matters_and_no_eleven_bits_tell():
    """Flipping any bit flips the label."""
    y, rows = load_task("parity").y, np.arange(4096)
    for bit in range(12):
        assert (y != y[rows ^ (1 << bit)]).all()


def test_digits_split_covers_all_rows_once():
    """Train and test rows are disjoint, sorted, and together everything."""
    task = load_task("digits")
    assert (len(task.train_rows), len(task.test_rows)) == (1437, 360)
    both = np.concatenate([task.train_rows, task.test_rows])
    np.testing.assert_array_equal(np.sort(both), np.arange(1797))
    # Fixed for good: published results rest on it.
    assert task.test_rows[:5].tolist() == [8, 19, 21, 29, 44]


def test_vertices_are_a_regular_icosahedron():
    """Twelve unit vectors with zero sum, five neighbours each, three distances."""
    v = icosahedron.vertices()
    np.testing.assert_allclose(np.linalg.norm(v, axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(v.sum(axis=0), 0, atol=1e-15)
    inner = v @ v.T
    expected = np.array([1, 1 / np.sqrt(5), -1 / np.sqrt(5), -1])
    np.testing.assert_allclose(inner, expected[icosahedron.graph_distances()], atol=1e-14)
    assert np.bincount(icosahedron.graph_distances()[0]).tolist() == [1, 5, 5, 1]


def test_graph_distances_are_shortest_paths():
    """Distances 2 and 3 follow from the edges by walking."""
    distance = icosahedron.graph_distances()
    edges = (distance == 1).astype(int)
    reached = [np.linalg.matrix_power(np.eye(12, dtype=int) + edges, n) > 0 for n in range(4)]
    walked = 3 - np.sum(reached[:3], axis=0)
    np.testing.assert_array_equal(walked, distance)
    assert reached[3].all()


@settings(max_examples=50)
@given(row=st.integers(0, 4095))
def test_height_and_signature_of_one_input(row):
    """f from coordinates, pairs counted one by one: the slow twins."""
    assert icosahedron.height()[row] == pytest.approx(by_hand(row), abs=1e-12)
    marked = np.flatnonzero(icosahedron.all_inputs()[row])
    distances = [icosahedron.graph_distances()[i, j] for i, j in combinations(marked, 2)]
    pairs = [distances.count(d) for d in (1, 2, 3)]
    assert icosahedron.signatures()[row].tolist() == [len(marked), *pairs]


def test_symmetries_are_a_group_of_isometries():
    """120 permutations, closed under composition, each an orthogonal map; half turn right."""
    group, v = icosahedron.symmetries(), icosahedron.vertices()
    members = {tuple(g) for g in group}
    assert len(members) == 120
    assert all(tuple(g[h]) in members for g in group[::7] for h in group)
    # V[g] = V R with R from least squares: orthogonal and exact, so an isometry.
    maps = np.array([np.linalg.lstsq(v, v[g], rcond=None)[0] for g in group])
    np.testing.assert_allclose(v @ maps, v[group], atol=1e-13)
    np.testing.assert_allclose(
        maps @ maps.transpose(0, 2, 1), np.tile(np.eye(3), (120, 1, 1)), atol=1e-13
    )
    turned = {tuple(g) for g in group[np.linalg.det(maps) > 0]}
    assert turned == {tuple(g) for g in icosahedron.rotations()}


@pytest.mark.parametrize(
    ("group", "n_orbits"), [(icosahedron.symmetries, 82), (icosahedron.rotations, 96)]
)
def test_number_of_orbits_is_burnsides(group, n_orbits):
    """Orbits of subsets = mean over the group of 2**(number of cycles): Burnside's lemma."""
    assert np.mean([2 ** n_cycles(g) for g in group()]) == n_orbits
    assert len(np.unique(icosahedron.orbits(group()))) == n_orbits


def n_cycles(permutation):
    """Count the cycles of a permutation."""
    left, cycles = set(range(len(permutation))), 0
    while left:
        i, cycles = left.pop(), cycles + 1
        while (i := permutation[i]) in left:
            left.remove(i)
    return cycles


def test_symmetries_of_other_labels():
    """Random labels are kept by the identity alone; parity by all 12!, which are not listed."""
    assert icosahedron.label_symmetries(load_task("random").y).tolist() == [list(range(12))]
    with pytest.raises(ValueError, match="too many automorphisms to list, more than 10000"):
        icosahedron.label_symmetries(load_task("parity").y)


def test_automorphisms_of_a_small_matrix_are_those_of_brute_force():
    """All 5! permutations tried one by one, on the matrix of a path of five vertices."""
    path = np.eye(5, k=1) + np.eye(5, k=-1)
    tried = [g for g in permutations(range(5)) if (path[np.ix_(g, g)] == path).all()]
    np.testing.assert_array_equal(icosahedron.matrix_automorphisms(path), tried)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Three mirrors on this machine: without the file, with a damaged one, with the right one."""
    name, content = "t10k-labels-idx1-ubyte.gz", gzip.compress(idx(np.arange(5, dtype=np.uint8)))
    for mirror, bytes_ in (("damaged", content[:-1]), ("right", content)):
        (tmp_path / mirror).mkdir()
        (tmp_path / mirror / name).write_bytes(bytes_)
    handler = partial(QuietHandler, directory=tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.delenv("IBCORE_DATA", raising=False)
    monkeypatch.delenv("IBCORE_CACHE", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("pooch.os_cache", lambda _: tmp_path / "cache")
    monkeypatch.setitem(images.MNIST_SHA256, name, sha256(content).hexdigest())
    mirrors = [f"{base}/{mirror}/" for mirror in ("missing", "damaged", "right")]
    monkeypatch.setattr(images, "MNIST_MIRRORS", tuple(mirrors))
    yield name, mirrors, tmp_path / "cache" / "mnist"
    server.shutdown()
    thread.join()
    server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    """A file server that does not print."""

    def log_message(self, *arguments):
        """Print nothing."""


def idx(array):
    """Write bytes in the IDX format: 0, 0, 8, the number of axes, their lengths, the data."""
    lengths = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


def test_download_moves_on_past_a_missing_and_a_damaged_file(served):
    """The third mirror has the right file; nothing else stays in the cache."""
    name, _, cache = served
    np.testing.assert_array_equal(images.read_idx(images.mnist_file(name)), np.arange(5))
    assert [path.name for path in cache.iterdir()] == [name]


def test_the_cache_can_be_another_folder(served, tmp_path, monkeypatch):
    """IBCORE_CACHE moves downloads too."""
    name, _, cache = served
    monkeypatch.setenv("IBCORE_CACHE", str(tmp_path / "elsewhere"))
    assert images.mnist_file(name) == tmp_path / "elsewhere" / "mnist" / name
    assert not cache.exists()


def test_a_file_in_the_cache_is_not_downloaded_again(served, monkeypatch):
    """Once there, it needs no mirror."""
    name, _, _ = served
    first = images.mnist_file(name)
    monkeypatch.setattr(images, "MNIST_MIRRORS", ("http://127.0.0.1:9/",))
    assert images.mnist_file(name) == first


def test_when_nothing_works_one_sentence_says_so_and_no_file_stays(served, monkeypatch):
    """A broken file is never left behind."""
    name, mirrors, cache = served
    monkeypatch.setattr(images, "MNIST_MIRRORS", tuple(mirrors[:2]))
    with pytest.raises(OSError, match=f"could not get {name} .*HTTPError.*ValueError.*IBCORE_DATA"):
        images.mnist_file(name)
    assert list(cache.iterdir()) == []


def test_a_damaged_file_in_the_data_folder_is_refused(served, tmp_path, monkeypatch):
    """What stands in IBCORE_DATA is checked as well, and not replaced behind the user's back."""
    name, _, _ = served
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    (tmp_path / "data" / "mnist" / name).write_bytes(b"not what it was")
    monkeypatch.setenv("IBCORE_DATA", str(tmp_path / "data"))
    with pytest.raises(ValueError, match=r"is not the file expected.*replace it or remove it"):
        images.mnist_file(name)


@pytest.mark.parametrize("shape", [(7,), (2, 3, 4)])
def test_idx_files_of_any_number_of_axes_are_read(tmp_path, shape):
    """What was written comes back."""
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    (tmp_path / "a.gz").write_bytes(gzip.compress(idx(array)))
    np.testing.assert_array_equal(images.read_idx(tmp_path / "a.gz"), array)


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x00\x0d\x01\x00\x00\x00\x01ABCD", b"\0\0\x08\1\0\0"]
)
def test_other_files_are_not_read_as_idx(tmp_path, content):
    """Floats (type 13), an empty and a cut file are refused."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=r"a\.gz is not an IDX file of bytes"):
        images.read_idx(tmp_path / "a.gz")


@needs_data
def test_mnist_is_mnist():
    """70 000 images; per-class counts of the 10 000 test labels as published with the data."""
    task = images.load_mnist()
    assert task.x.shape == (70_000, 784)
    assert task.x.min() == 0
    assert task.x.max() == 1
    counts = np.bincount(task.y[task.test_rows])
    assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert task.label_entropy == pytest.approx(entropy(counts / 10_000), abs=1e-12)


def test_spiral():
    """Three equal arms from the centre to the unit circle, each turned by a third of a circle."""
    task = load_task("spiral")
    assert task.x.shape == (1500, 2)
    assert np.bincount(task.y).tolist() == [500, 500, 500]
    radius = np.linalg.norm(task.x, axis=1)
    np.testing.assert_allclose(radius[:500], np.linspace(0, 1, 500), atol=1e-6)
    angle = np.arctan2(*task.x[radius > 0].T[::-1]) - 4 * radius[radius > 0]
    turned = angle - 2 * np.pi / 3 * task.y[radius > 0]
    noise = (turned + np.pi) % (2 * np.pi) - np.pi
    assert abs(noise.mean()) < 0.02
    assert noise.std() == pytest.approx(0.2, abs=0.01)
