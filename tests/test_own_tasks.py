"""A task is checked when it is made; one of one's own is known by its data."""

import numpy as np
import pytest

from ibcore import config, tasks
from ibcore.config import Experiment
from ibcore.information import entropy, mutual_information
from ibcore.tasks import Task, load_task, module_of, register_task
from ibcore.training import train


def test_information_counts_the_measured_rows_only():
    """H(Y) is the ceiling of what is measured, so it is over the rows that are measured."""
    x = np.zeros((4, 1), dtype=np.float32)
    every = Task(name="a", x=x, y=np.array([0, 1, 0, 0]), n_classes=2, description="")
    half = Task(
        name="b",
        x=x,
        y=np.array([0, 1, 0, 0]),
        n_classes=2,
        description="",
        measured_rows=np.array([0, 1]),
    )
    assert every.label_entropy == pytest.approx(entropy([0.75, 0.25]))
    assert half.label_entropy == 1.0


def test_a_task_does_not_lock_the_arrays_it_was_made_from():
    """The task is read-only, the caller's arrays are as they were."""
    x, y = np.zeros((2, 1), dtype=np.float32), np.array([0, 1])
    Task(name="own", x=x, y=y, n_classes=2, description="")
    y[0] = 1
    assert y.flags.writeable


X = np.eye(4, dtype=np.float32)
MASKED = np.ma.array(X, mask=X > 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "a task needs a printable name, got ''"),
        ({"name": 3}, "a task needs a printable name, got 3"),
        ({"name": "a\n"}, "a task needs a printable name"),
        ({"n_classes": 1.5}, "n_classes of task 'own' must be a whole number from 1 to 65 536"),
        ({"n_classes": 10**9}, "n_classes of task 'own' must be a whole number"),
        ({"x": None}, r"x .sample, feature. and y .sample,. of .* got shapes \(\) and \(4,\)"),
        ({"x": X[:3]}, r"got shapes \(3, 4\) and \(4,\)"),
        ({"x": X[0]}, r"got shapes \(4,\) and \(4,\)"),
        ({"x": X[:1], "y": np.array([0])}, "of at least 2 samples"),
        ({"x": X[:, :0]}, r"needs numbers in x, .* got float32 of shape \(4, 0\)"),
        ({"x": X.tolist()}, "needs x as a NumPy array without a mask, got list"),
        ({"x": MASKED}, "needs x as a NumPy array without a mask, got MaskedArray"),
        ({"x": X.astype(float)}, r"float32 x: x\.astype\(np\.float32\), got float64"),
        ({"x": X.astype(">f4")}, "needs numbers in x, in native byte order, got >f4"),
        ({"x": X.astype(str)}, "needs numbers in x"),
        ({"x": X.astype(complex)}, "needs numbers in x"),
        ({"x": np.where(X > 0, np.float32("inf"), X)}, "needs finite x, got 4 NaN or infinite"),
        ({"y": np.array([0.0, np.nan, 1, 1])}, "needs finite y, got 1 NaN or infinite values"),
        ({"y": np.array([0, 1, 2, 0])}, r"labels must lie in 0\.\.1, got 0\.\.2; number them"),
        ({"y": np.array([0.0, 2.0, 0, 0])}, "read as P.y=1.x. and must lie in"),
        ({"y": np.array(["a", "b", "a", "b"])}, "needs numbers in y"),
        ({"y": np.zeros(4), "n_classes": 3}, "y has 2 classes, expected n_classes = 3"),
        ({"train_rows": np.array([0, 4])}, "needs train_rows as different integers from 0 to 3"),
        ({"test_rows": np.array([1, 1])}, "needs test_rows as different integers"),
        ({"test_rows": np.array([0.0, 1.0])}, "needs test_rows as different integers"),
        ({"measured_rows": np.array([-1])}, "needs measured_rows as different .* from -1 to -1"),
        ({"measured_rows": np.zeros(0, int)}, "needs numbers in measured_rows"),
        ({"measured_rows": np.array([[0]])}, "needs measured_rows as different integers"),
        ({"groups": np.arange(3)}, r"groups \(sample,\) numbered from 0, as ibcore"),
        ({"groups": np.array([0, 1, 2, 10**9])}, r"groups \(sample,\) numbered .* 0 to 1000000000"),
        ({"teacher": np.ones((1, 4)), "teacher_noise_variance": 1.0}, "needs target .* got none"),
        ({"target": np.ones(4)}, r"needs target \(sample, output\) of 4 samples, got \(4,\)"),
        ({"target": np.ones((4, 1))}, "labels y that say where the first target is positive"),
        ({"teacher_noise_variance": -1}, r"teacher_noise_variance of task 'own' .* in \[0, 1e30\]"),
    ],
)
def test_a_task_that_does_not_fit_together_is_refused(changes, message):
    """Shapes, types, classes, rows, masks and NaN are looked at when a task is made."""
    settings = {"name": "own", "x": X, "y": np.array([0, 1, 0, 1]), "n_classes": 2}
    with pytest.raises(ValueError, match=message):
        Task(**settings | {"description": ""} | changes)


def test_a_linear_teacher_fits_its_targets():
    """Its noise is more than none, and its shape is that of targets and inputs."""
    target = np.array([[-1.0], [2.0], [-3.0], [4.0]])
    settings = {"name": "own", "x": X, "y": np.array([0, 1, 0, 1]), "n_classes": 2}
    settings |= {"description": "", "target": target}
    assert Task(**settings).n_outputs == 1
    with pytest.raises(ValueError, match=r"needs teacher \(1, 4\), got \(1, 3\)"):
        Task(**settings, teacher=np.ones((1, 3)), teacher_noise_variance=1.0)
    with pytest.raises(ValueError, match=r"teacher_noise_variance .* in \(0, 1e30\]; got 0.0"):
        Task(**settings, teacher=np.ones((1, 4)))


def test_rows_that_are_equal_are_one_input():
    """I(X;Y) = H(Y) - H(Y|X), from the table of values of x and labels; -0.0 is 0.0."""
    x = np.array([[0, 1], [-0.0, 1], [0, 2], [0, 3], [0, 3], [0, 3]], dtype=np.float32)
    y = np.array([0, 1, 1, 2, 2, 0])
    task = Task(name="own", x=x, y=y, n_classes=3, description="")
    table = np.array([[1, 1, 0], [0, 1, 0], [1, 0, 2]]) / 6
    assert task.information == pytest.approx(mutual_information(table), abs=1e-12)
    assert task.label_entropy == pytest.approx(entropy([1 / 3, 1 / 3, 1 / 3]))
    few = Task(name="own", x=x, y=y, n_classes=3, description="", measured_rows=np.array([0, 2]))
    assert few.information == few.label_entropy == 1.0
    soft = Task(name="own", x=x[:2], y=np.array([0.0, 1.0]), n_classes=2, description="")
    assert soft.information == pytest.approx(0, abs=1e-12)


def make(name="mine", scale=1.0, **changes):
    """Make a task of one's own."""
    x = np.float32(scale) * np.eye(6, dtype=np.float32)
    settings = {"x": x, "y": np.arange(6) % 2, "n_classes": 2, "description": "six points"}
    return Task(name=name, **settings | changes)


@pytest.fixture
def own():
    """Give ``make``, and forget afterwards what was registered."""
    yield make
    for registry in (tasks._own, config.OWN_TASKS):
        registry.pop("mine", None)


def test_a_task_of_ones_own_is_accepted_loaded_and_trained_on(own):
    with pytest.raises(ValueError, match=r"task must be one of .*got 'mine'"):
        Experiment(task="mine")
    with pytest.raises(ValueError, match=r"no task is called 'mine'.*ib\.register_task first"):
        load_task("mine")
    register_task(own())
    np.testing.assert_array_equal(load_task("mine").x, np.eye(6))
    assert load_task("mine") is load_task("mine")
    experiment = Experiment(task="mine", hidden_widths=(3,), n_epochs=2, n_seeds=1)
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert train(experiment, progress=False).ensemble(-1).weights[0].shape == (1, 6, 3)


def test_other_data_under_the_same_name_are_another_experiment(own):
    """Every array, its type and the number of classes count; prose does not."""
    seen = set()
    for task in (
        own(),
        own(scale=2.0),
        own(y=np.array([0, 1, 1, 1, 0, 0])),
        own(y=np.array([0.0, 1, 0, 1, 0, 1])),
        own(y=np.arange(6) % 2, n_classes=3),
        own(train_rows=np.arange(4)),
        own(test_rows=np.arange(4)),
        own(groups=np.arange(6)),
    ):
        register_task(task)
        digest = Experiment(task="mine").digest()
        assert digest not in seen
        assert module_of("mine") == f"content:{task.content()}"
        assert load_task("mine").content() == task.content()
        seen.add(digest)
    register_task(own(description="the same six points"))
    assert Experiment(task="mine").digest() in seen


def test_a_registered_task_does_not_change_with_the_array_it_was_made_from(own):
    x = np.eye(6, dtype=np.float32)
    register_task(own(x=x))
    digest = Experiment(task="mine").digest()
    x[0, 0] = 7
    assert load_task("mine").x[0, 0] == 1
    assert load_task("mine").content() == own().content()
    assert Experiment(task="mine").digest() == digest


def test_a_digest_is_not_made_from_a_name_alone(own, monkeypatch):
    """An experiment that came from another process may name a task that this one does not know."""
    register_task(own())
    experiment = Experiment(task="mine")
    monkeypatch.delitem(config.OWN_TASKS, "mine")
    with pytest.raises(ValueError, match="'mine' is not registered in this process; give it to"):
        experiment.digest()


def test_tasks_of_the_book_keep_their_names(own):
    with pytest.raises(ValueError, match="'szt' is a task of the book; give your own another"):
        register_task(own("szt"))
    with pytest.raises(ValueError, match=r"register_task takes an ib\.Task, got 'szt'"):
        register_task("szt")
    assert load_task("szt").x.shape == (4096, 12)
