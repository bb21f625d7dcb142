"""Where results are kept: planes, weights, certificates.

Every file is written beside its place and renamed; what cannot be read is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from json import loads
from pathlib import Path

import numpy as np

from ibcore import identity
from ibcore.config import Experiment
from ibcore.training import WIDEST_FUSED, Trajectory

BLOCK = 10  # seeds that run, and are kept, together
WIDE_BLOCK = 2


@dataclass(frozen=True)
class Store:
    """A folder of results: ``planes/<digest>.nc``, ``weights/<digest>/…npz``, certificates.

    Parameters
    ----------
    root : Path
        Where planes are read and written.
    published : Path, optional
        A second folder that is only read, after ``root``.
    work : Path, optional
        Where the weights of finished blocks are kept between runs; ``root`` by default.
    """

    root: Path
    published: Path | None = None
    work: Path | None = None

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders to read from, in order, each once."""
        return tuple(dict.fromkeys(p for p in (self.root, self.published, self.work) if p))

    def plane_path(self, experiment: Experiment) -> Path:
        """Where the plane of an experiment is written."""
        return self.root / "planes" / f"{experiment.digest()}.nc"

    def find(self, experiment: Experiment) -> list[Path]:
        """The stored planes of an experiment, those of ``root`` first."""
        name = Path("planes") / f"{experiment.digest()}.nc"
        return [root / name for root in self.roots if (root / name).exists()]

    def weights(
        self, experiment: Experiment, seeds: Sequence[int], *, own_only: bool = False
    ) -> Trajectory | None:
        """Stored weights of these seeds and the measured epochs, if by code that is trusted.

        ``own_only`` leaves out the published ones.
        """
        folder = Path("weights") / experiment.digest()
        for root in (self.work or self.root,) if own_only else self.roots:
            for path in sorted((root / folder).glob("seeds-*.npz")):
                stored = Trajectory.load(path)
                if (
                    self.trusts(experiment.digest(), stored.code_digest, "training")
                    and set(seeds) <= set(stored.seeds)
                    and np.isin(experiment.epochs, stored.epochs).all()
                ):
                    cut = stored.only(tuple(seeds)).at(experiment.epochs)
                    return replace(cut, experiment=experiment)
        return None

    def keep(self, trajectory: Trajectory) -> None:
        """Store the weights of one block for later runs."""
        folder = (self.work or self.root) / "weights" / trajectory.experiment.digest()
        trajectory.save(folder / block_name(trajectory.seeds))

    def publish_weights(self, experiment: Experiment) -> None:
        """Put the weights of an experiment beside its plane, for readers with another ruler."""
        for seeds in blocks(experiment):
            path = self.root / "weights" / experiment.digest() / block_name(seeds)
            trajectory = self.weights(experiment, seeds)
            if trajectory is None:
                raise ValueError(f"no stored weights of {experiment.digest()}; run it first.")
            trajectory.save(path)

    def trusts(self, digest: str, code_digest: str, part: str = "all") -> bool:
        """Whether the code that made a result is today's, or certified to give the same."""
        today = identity.code_digest(part)
        return code_digest == today or any(
            entry["today"] == today and code_digest in entry["older"]
            for root in self.roots
            for entry in read_certificates(root).get(digest, [])
        )


def blocks(experiment: Experiment) -> list[tuple[int, ...]]:
    """The seeds in the blocks in which they run: fewer of wide networks, which train longer."""
    wide = experiment.convolutions or max(experiment.hidden_widths) > WIDEST_FUSED
    block = WIDE_BLOCK if wide else BLOCK
    seeds = experiment.seeds
    return [seeds[first : first + block] for first in range(0, len(seeds), block)]


def read_certificates(root: Path) -> dict[str, list[dict]]:
    """The certificates of a store: digest -> [{"older": […], "today": …}]."""
    path = root / "certificates.json"
    return loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_text(path: Path, text: str) -> None:
    """Write beside, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def block_name(seeds: Sequence[int]) -> str:
    """File name of the weights of one block of seeds."""
    return f"seeds-{min(seeds):04d}-{max(seeds):04d}.npz"
