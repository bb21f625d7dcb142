"""Linear students of a linear teacher: the task, the exact ruler, the exact error, training."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ibcore as ib
from ibcore import theory
from ibcore.estimators import LinearGaussian
from ibcore.networks import Ensemble
from ibcore.observables import Generalisation, NeighbourEntropy, Performance, View
from ibcore.tasks import load_task

TEACHERS = {"teacher": (100, 100), "teacher_30": (100, 30), "scalar_teacher": (1, 1)}


def students(task="teacher", **changes):
    changes = {
        "hidden_widths": (6,), "n_seeds": 2, "n_epochs": 5, "n_measured_epochs": 3,
        "learning_rate": 0.05, "batch_size": 5, "train_fraction": 0.025,
    } | changes  # fmt: skip
    return ib.Experiment(
        task=task, activation="linear", loss="squared_error", optimizer="sgd", **changes
    )


def view(experiment, seed=0):
    task = load_task(experiment.task)
    network = Ensemble.initial(experiment, (seed,), task.x.shape[1], task.n_outputs)
    return View(experiment, task, network, seed, 0)


@pytest.mark.parametrize("name", TEACHERS)
class TestTask:
    def test_it_is_what_its_description_says(self, name):
        """‖W_o‖² = N, noise of variance 1: a signal-to-noise ratio of 1 and half a bit."""
        task, (n_inputs, n_relevant) = load_task(name), TEACHERS[name]
        assert task.x.shape == (4000, n_inputs)
        assert task.x.dtype == np.float32
        assert (task.teacher != 0).sum() == n_relevant
        assert (task.teacher**2).sum() == pytest.approx(n_inputs)
        assert task.information == task.label_entropy == pytest.approx(0.5)
        assert task.n_outputs == 1
        assert "real targets" in repr(task)

    def test_its_rows_follow_the_law(self, name):
        """Covariance I/N within five standard errors; noise of variance 1, free of the inputs."""
        task = load_task(name)
        n, d = task.x.shape
        covariance = task.x.T.astype(float) @ task.x / n * d
        assert np.abs(covariance - np.eye(d)).max() < 5.5 * np.sqrt(2 / n)
        noise = task.target[:, 0] - task.x @ task.teacher[0]
        assert noise.var() == pytest.approx(1, abs=5 * np.sqrt(2 / n))
        assert np.abs(noise @ task.x * np.sqrt(d) / n).max() < 5 / np.sqrt(n)
        assert (task.y == (task.target[:, 0] > 0)).all()

    def test_it_does_not_change(self, name):
        """The first target, to the last digit: raw bits, not a version of numpy."""
        first = {"teacher": GOLDEN[0], "teacher_30": GOLDEN[1], "scalar_teacher": GOLDEN[2]}
        assert load_task(name).target[0, 0] == pytest.approx(first[name], abs=1e-12)


GOLDEN = (-0.9913079926568011, -0.256196956017654, 0.6819594492925687)


def test_real_targets_need_the_squared_error():
    with pytest.raises(ValueError, match="loss='squared_error'"):
        ib.train(ib.Experiment(task="teacher", activation="linear", n_seeds=1, n_epochs=1))


def test_both_engines_train_the_same_students():
    """Fused loop and torch, float64, after 40 updates."""
    experiment = students(n_measured_epochs=2)
    fused, twin = (
        ib.train(experiment, engine=engine, dtype=np.float64, progress=False)
        for engine in ("fused", "torch")
    )
    np.testing.assert_allclose(fused.parameters, twin.parameters, atol=1e-9)
    assert not np.allclose(fused.parameters[0], fused.parameters[-1])


def test_a_full_batch_step_is_autograds():
    """The loss is the mean of (y - W2 W1 x)² over the rows, without a factor ½."""
    experiment = students(batch_size=None, n_epochs=1, n_seeds=1, n_measured_epochs=2)
    trajectory = ib.train(experiment, dtype=np.float64, progress=False)
    before, after = (trajectory.ensemble(k) for k in (0, 1))
    task = load_task("teacher")
    rows, _ = ib.training.split_rows(task, experiment, 0)
    weights = [torch.tensor(w[0], requires_grad=True) for w in before.weights]
    x, y = torch.tensor(task.x[rows].astype(float)), torch.tensor(task.target[rows])
    ((y - x @ weights[0] @ weights[1]) ** 2).mean().backward()
    for old, new in zip(weights, after.weights, strict=True):
        expected = old.detach() - experiment.learning_rate * old.grad
        np.testing.assert_allclose(new[0], expected, atol=1e-12)


class TestRuler:
    def test_it_is_the_theory_on_the_product_of_the_weights(self):
        """I(X;T), I(T;Y) and the parts of the input, layer by layer, by hand."""
        experiment = students("teacher_30", init_gain=3.0)
        trajectory = ib.train(experiment.replace(n_seeds=1), progress=False)
        task, network = trajectory.task, trajectory.ensemble(-1)
        first = network.weights[0][0].T.astype(float)
        products = [first, network.weights[1][0].T.astype(float) @ first]
        relevant = np.arange(100) < 30
        expected = {
            "all": [theory.student_information(w, task.teacher, 0.5, 1.0)[0] for w in products],
            "relevant": [theory.input_information(w, relevant, 0.5)[0] for w in products],
            "irrelevant": [theory.input_information(w, ~relevant, 0.5)[0] for w in products],
        }
        for inputs, values in expected.items():
            ruler = LinearGaussian(0.5, inputs).prepare(trajectory)
            found = [
                ruler(t, task.y) for t in ruler.layers(SimpleNamespace(network=network, x=task.x))
            ]
            np.testing.assert_allclose([one.i_xt for one in found], values, rtol=1e-10)
            i_ty = theory.student_information(products[1], task.teacher, 0.5, 1.0)[1]
            assert found[1].i_ty == pytest.approx(i_ty)

    def test_a_sample_agrees(self):
        """One output unit: I(T+Z;Y) = -½ log2(1 - ρ²), ρ from a simulated sample."""
        experiment = students(init_gain=3.0, hidden_widths=(20,))
        trajectory = ib.train(experiment.replace(n_seeds=1, n_epochs=50), progress=False)
        ruler = LinearGaussian(1.0).prepare(trajectory)
        weight = ruler.layers(SimpleNamespace(network=trajectory.ensemble(-1)))[-1]
        rng = np.random.default_rng(0)
        x = rng.normal(size=(200_000, 100)) / 10
        t = x @ weight[0] + rng.normal(size=len(x))
        y = x @ trajectory.task.teacher[0] + rng.normal(size=len(x))
        rho = np.corrcoef(t, y)[0, 1]
        assert ruler(weight, None).i_ty == pytest.approx(-0.5 * np.log2(1 - rho**2), abs=0.005)

    def test_a_plane_holds_it(self):
        rulers = [LinearGaussian(1.0), LinearGaussian(1.0, "irrelevant")]
        plane = ib.run(students("teacher_30"), rulers, progress=False)
        assert plane.measures.values.tolist() == ["I(X; T+Z)", "I(irrelevant X; T+Z)"]
        assert (plane.i_xt.diff("layer") <= 2e-4).all()  # products lose, they never gain
        assert plane.loss.attrs["long_name"] == "squared error on the training rows"
        assert (
            plane.train_accuracy.attrs["long_name"] == "share of right signs on the training rows"
        )

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: LinearGaussian(0.0), "noise_variance must be positive"),
            (lambda: LinearGaussian(1.0, "some"), "inputs must be one of all, relevant"),
            (lambda: LinearGaussian()(np.eye(2), [0, 1]), "needs the teacher of a task"),
        ],
    )
    def test_nonsense_is_refused(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()

    def test_it_wants_a_linear_network_and_a_teacher(self):
        experiment = ib.Experiment(n_seeds=1, n_epochs=1, n_measured_epochs=2)
        with pytest.raises(ValueError, match="needs a linear network and a task with a linear"):
            ib.run(experiment, [LinearGaussian()], progress=False)


class TestObservables:
    def test_generalisation_error_is_the_error_on_fresh_data(self):
        """200 000 new rows, within five standard errors."""
        one = view(students(init_gain=3.0))
        exact = Generalisation()(one)["generalisation_error"]
        rng = np.random.default_rng(1)
        x = rng.normal(size=(200_000, 100)) / 10
        y = x @ one.task.teacher[0] + rng.normal(size=len(x))
        squares = (y - one.network.forward(x)[0][-1][0, :, 0]) ** 2
        assert squares.mean() == pytest.approx(exact, abs=5 * squares.std() / np.sqrt(len(x)))
        with pytest.raises(ValueError, match="no linear teacher"):
            Generalisation()(view(ib.Experiment(n_seeds=1)))

    def test_loss_and_signs(self):
        one = view(students())
        found, rows = Performance()(one), one.rows[0]
        output = one.network.forward(one.task.x[rows])[0][-1][0]
        assert found["loss"] == pytest.approx(((output - one.task.target[rows]) ** 2).mean())
        signs = (output[:, 0] > 0) == (one.task.target[rows, 0] > 0)
        assert found["train_accuracy"] == signs.mean()

    def test_neighbour_entropy_grows_with_the_scale_and_its_scaled_form_does_not(self):
        """h(cT) = h(T) + d log2 c; narrow hidden layers only."""
        experiment = ib.Experiment(hidden_widths=(10, 4, 3), activation="leaky_relu", init_gain=2.0)
        one = view(experiment)
        network = one.network.rescaled(2, 8.0)
        other = dataclasses.replace(one, network=network)
        before, after = NeighbourEntropy()(one), NeighbourEntropy()(other)
        plain, scaled = (np.subtract(after[k], before[k]) for k in NeighbourEntropy.names)
        assert plain[1] == pytest.approx(4 * 3, abs=0.05)
        assert scaled[1] == pytest.approx(0, abs=0.05)
        assert np.isnan(plain[[0, 3]]).all()
