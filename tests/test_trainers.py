"""Trainers of other libraries call a tracker at whole epochs, from wherever they begin."""

import importlib
from types import SimpleNamespace

import pytest
import torch
from test_tracker import RULERS, X, Y, network, step, trained
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ibcore.callbacks import huggingface, lightning


def test_lightning_calls_it():
    """The hooks of a Trainer in their order: epochs count from 0, before the first update."""
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    trainer = SimpleNamespace(
        current_epoch=0, global_step=0, is_global_zero=True, is_last_batch=True
    )
    follow = lightning.Follow(X, Y, layers=["2", "4"], rulers=RULERS, at="every")
    with pytest.raises(ValueError, match="nothing is measured yet: the training has not begun"):
        _ = follow.plane
    follow.on_train_start(trainer, model)
    for epoch in range(3):
        trainer.current_epoch = epoch
        follow.on_train_epoch_start(trainer, model)
        step(model, optimizer)
        trainer.global_step += 1
        follow.on_train_epoch_end(trainer, model)
    assert follow.plane.equals(trained(n_epochs=3)[1].plane)
    assert follow.plane["update"].values.tolist() == [0, 1, 2, 3]


def test_hugging_face_calls_it():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    state = SimpleNamespace(epoch=None, global_step=0, is_world_process_zero=True)
    control = SimpleNamespace(should_training_stop=False)
    follow = huggingface.Follow(X, Y, layers=["2", "4"], rulers=RULERS, at="every")
    with pytest.raises(ValueError, match="nothing is measured yet: the training has not begun"):
        _ = follow.plane
    follow.on_train_begin(None, state, None, model=model)
    for epoch in range(3):
        step(model, optimizer)
        state.epoch, state.global_step = epoch + 1.0, epoch + 1
        follow.on_epoch_end(None, state, control, model=model)
    assert follow.plane.equals(trained(n_epochs=3)[1].plane)


def test_hugging_face_inside_an_epoch():
    """Weights of a checkpoint inside an epoch, and of a last step inside one, are of no epoch."""
    model = network()
    state = SimpleNamespace(epoch=0.75, global_step=3, is_world_process_zero=True)
    control = SimpleNamespace(should_training_stop=False)
    follow = huggingface.Follow(X, Y, rulers=RULERS, at="every")
    follow.on_train_begin(None, state, control, model=model)
    for epoch, stops in ((1.0, False), (2.0, False), (2.5, True)):
        step(model, torch.optim.SGD(model.parameters(), 0.5))
        state.epoch, control.should_training_stop = epoch, stops
        follow.on_epoch_end(None, state, control, model=model)
    assert follow.plane.epoch.values.tolist() == [1, 2]


def test_lightning_goes_on_inside_an_epoch():
    """From a checkpoint inside epoch 1; it stops inside epoch 3."""
    model = network()
    trainer = SimpleNamespace(
        current_epoch=1, global_step=6, is_global_zero=True, is_last_batch=True
    )
    follow = lightning.Follow(X, Y, rulers=RULERS, at="every")
    follow.on_train_start(trainer, model)
    follow.on_train_epoch_end(trainer, model)
    trainer.current_epoch = 2
    follow.on_train_epoch_start(trainer, model)
    follow.on_train_epoch_end(trainer, model)
    trainer.current_epoch, trainer.is_last_batch = 3, False
    follow.on_train_epoch_end(trainer, model)
    assert follow.plane.epoch.values.tolist() == [2, 3]


def test_one_process_of_many_measures():
    other = SimpleNamespace(
        current_epoch=0, global_step=0, is_global_zero=False, is_last_batch=True
    )
    follow = lightning.Follow(X, Y)
    follow.on_train_start(other, network())
    follow.on_train_epoch_start(other, network())
    follow.on_train_epoch_end(other, network())
    assert follow.tracker is None


def test_the_real_lightning(tmp_path):
    package = pytest.importorskip("lightning.pytorch")

    class Module(package.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = network()

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, _):
            return nn.functional.cross_entropy(self.net(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.5)

    def fitted(n_epochs, **asked):
        follow = importlib.reload(lightning).Follow(X, Y, layers=["net.2"], at="every")
        quiet = {"logger": False, "enable_progress_bar": False, "default_root_dir": tmp_path}
        keep = package.callbacks.ModelCheckpoint(tmp_path, "{epoch}", save_top_k=-1)
        trainer = package.Trainer(
            max_epochs=n_epochs, callbacks=[follow, keep], accelerator="cpu", **quiet
        )
        trainer.fit(Module(), DataLoader(TensorDataset(X, Y), batch_size=20), **asked)
        return follow.plane

    plane = fitted(2)
    assert plane.epoch.values.tolist() == [0, 1, 2]
    longer = fitted(3, ckpt_path=tmp_path / "epoch=0.ckpt")
    assert longer.epoch.values.tolist() == [1, 2, 3]
    assert longer["update"].values.tolist() == [3, 6, 9]
    assert longer.i_xt.sel(epoch=1).values == plane.i_xt.sel(epoch=1).values


def test_the_real_hugging_face(tmp_path):
    package = pytest.importorskip("transformers")

    class Module(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = network()

        def forward(self, x, labels=None):
            logits = self.net(x)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    data = [{"x": a, "labels": b} for a, b in zip(X, Y, strict=True)]

    def fitted(n_epochs, **asked):
        follow = importlib.reload(huggingface).Follow((X, Y), layers=["net.2"], at="every")
        arguments = package.TrainingArguments(
            output_dir=tmp_path, num_train_epochs=n_epochs, report_to=[], use_cpu=True,
            per_device_train_batch_size=20, save_strategy="steps", save_steps=2,
        )  # fmt: skip
        trainer = package.Trainer(Module(), arguments, train_dataset=data, callbacks=[follow])
        trainer.train(**asked)
        return follow.plane

    assert fitted(2).epoch.values.tolist() == [0, 1, 2]
    # Two of three updates of the first epoch are done.
    longer = fitted(3, resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert longer.epoch.values.tolist() == [1, 2, 3]
