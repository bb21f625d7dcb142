"""Where results are kept: planes, weights, certificates.

planes/<digest>/*.nc     parts of one result, each written once
planes/*.zip             packs: planes that are published together
weights/<digest>/*.npz   weights of blocks of seeds
certificates.json        which older code is known to give the numbers of today's
costs.json               what each experiment took
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from filelock import FileLock

from ibcore import plane
from ibcore.config import Experiment
from ibcore.files import check_writable, sweep, write_whole
from ibcore.plane.files import from_bytes, read_pack
from ibcore.results import provenance
from ibcore.results.parts import Part, check_answer, observables_of, rulers_of
from ibcore.training import WIDEST_FUSED, Trajectory

BLOCK = 10  # seeds that run, and are kept, together
WIDE_BLOCK = 2
_READINGS = 10  # of a folder in which others put parts in the place of older ones


@dataclass(frozen=True)
class Store:
    """A folder of results.

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

    def __post_init__(self) -> None:
        """Make the folders paths."""
        for name in ("root", "published", "work"):
            value = getattr(self, name)
            if value is not None:
                if not isinstance(value, str | Path):
                    raise ValueError(f"{name} must be a folder, got {value!r}.")
                object.__setattr__(self, name, Path(value))

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders to read from, in order, each once."""
        return tuple(dict.fromkeys(p for p in (self.root, self.published, self.work) if p))

    def check_writable(self) -> None:
        """Refuse, before any work, folders that cannot be written to."""
        for folder in {self.root, self.work or self.root}:
            check_writable(folder)

    def afresh(self, experiment: Experiment) -> "Store":
        """A store of its own, beside the work, for computing anew what is stored here.

        What a run that was ended left there is taken up, unless the code has changed since.
        """
        other = Store(root=(self.work or self.root) / "anew")
        for part in other.parts(experiment):
            if part.distrusted and part.path:
                part.path.unlink(missing_ok=True)
        return other

    def sweep(self, experiment: Experiment) -> None:
        """Remove the unfinished files that killed processes left of an experiment."""
        for root in {self.root, self.work or self.root}:
            for folder in (root, root / "planes" / experiment.digest()):
                sweep(folder)
            sweep(root / "weights" / experiment.digest())

    # Planes

    def parts(self, experiment: Experiment) -> list[Part]:
        """All that is stored of an experiment, each part checked against it.

        Raises
        ------
        plane.DamagedPlaneError
            If a file is damaged or holds another result.
        """
        for _ in range(_READINGS):
            try:
                return self._parts(experiment)
            except FileNotFoundError:  # another process has just put a newer one in its place
                continue
        return self._parts(experiment)

    def _parts(self, experiment: Experiment) -> list[Part]:
        found = []
        for root in self.roots:
            for path, data in _stored(root / "planes", experiment.digest()):
                check_answer(data, experiment, str(path))
                found.append(Part(data, path, self.distrusted(data)))
        return found

    def add(self, found: xr.Dataset) -> Path:
        """Keep a part of a result, in a file of its own."""
        found = plane.as_stored(found)
        seeds = found["seed"].values
        name = f"{min(seeds):04d}-{max(seeds):04d}-{found.attrs[plane.CHECKSUM][:12]}.nc"
        return plane.save(found, self.root / "planes" / found.attrs["digest"] / name)

    def older_parts(self, experiment: Experiment) -> set[Path]:
        """Files here with networks of an experiment and no others: a newer result's to replace."""
        folder = self.root / "planes" / experiment.digest()
        named = {path: _seeds_in(path) for path in folder.glob("*.nc")}
        return {path for path, seeds in named.items() if seeds and seeds <= set(experiment.seeds)}

    def take_over(self, other: "Store", experiment: Experiment, older: Iterable[Path]) -> None:
        """Put what another store holds of an experiment in the place of older files here.

        Everything is here before anything goes, there or here: a process that is killed meanwhile
        loses nothing, and others that add to this result or compute it anew as well find theirs.
        """
        planes, weights = (Path(one) / experiment.digest() for one in ("planes", "weights"))
        moved = _copied(other.root / planes, self.root / planes)
        moved += _copied(other.root / weights, (self.work or self.root) / weights)
        new = {path.name for path in moved}
        for path in (*moved, *(path for path in older if path.name not in new)):
            path.unlink(missing_ok=True)

    def pack(self, name: str, planes: Mapping[str, xr.Dataset]) -> Path:
        """Keep whole planes together in one file; parts in ``root`` that they hold go."""
        path = plane.save_pack(planes, self.root / "planes" / f"{name}.zip")
        for digest, whole in planes.items():
            folder = self.root / "planes" / digest
            for part in folder.glob("*.nc"):
                if _holds(whole, plane.load(part)):
                    part.unlink()
            if folder.is_dir() and not any(folder.iterdir()):
                with suppress(OSError):  # another process has just put a part into it
                    folder.rmdir()
        return path

    # Weights

    def weights(self, experiment: Experiment, seeds: Sequence[int]) -> Trajectory | None:
        """Stored weights of these seeds at the measured epochs, if made by code that is trusted.

        Raises
        ------
        ValueError
            If a file is damaged or holds weights of another experiment.
        """
        for root in self.roots:
            for path in sorted((root / "weights" / experiment.digest()).glob("seeds-*.npz")):
                if not _may_hold(path, seeds):
                    continue
                stored = _trajectory(path)
                if stored is None:
                    continue
                if stored.experiment.digest() != experiment.digest():
                    raise ValueError(
                        f"{path} holds weights of {stored.experiment.digest()}, not of "
                        f"{experiment.digest()}; delete it and run again."
                    )
                if (
                    self.trusts_weights(stored)
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

    # Trust

    def distrusted(self, found: xr.Dataset) -> tuple[str, ...]:
        """Parts of a plane's code that are neither today's nor certified to give the same."""
        made = json.loads(found.attrs["code"])
        experiment = Experiment.from_json(found.attrs["experiment"])
        today = provenance.code_of_result(
            experiment, str(found.attrs["engine"]), rulers_of(found), observables_of(found)
        )
        return tuple(
            name
            for name, digests in sorted(made.items())
            for digest in digests.split("+")
            if not self._trusts(experiment.digest(), name, digest, today.get(name))
        )

    def trusts_weights(self, trajectory: Trajectory) -> bool:
        """Whether the code that trained is today's, or certified to give the same."""
        experiment = trajectory.experiment
        today = provenance.network_code(experiment, trajectory.engine)
        return self._trusts(experiment.digest(), provenance.NETWORK, trajectory.code_digest, today)

    def _trusts(self, digest: str, name: str, made: str, today: str | None) -> bool:
        return made == today or any(
            digest in entry["digests"]
            and made in entry["made"].get(name, ())
            and entry["same_as"].get(name) == today
            for root in self.roots
            for entry in read_certificates(root)
        )

    def add_certificate(
        self, digest: str, made: Mapping[str, Sequence[str]], same_as: Mapping[str, str]
    ) -> None:
        """Note that older code gives the numbers of today's; an older note goes."""
        path = self.root / "certificates.json"
        self.root.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(".certificates.lock")):
            entries = [
                {**one, "digests": [other for other in one["digests"] if other != digest]}
                for one in read_certificates(self.root)
            ]
            new = {
                "made": {name: sorted(set(one)) for name, one in sorted(made.items())},
                "same_as": dict(sorted(same_as.items())),
            }
            alike = [one for one in entries if {**one, "digests": 0} == {**new, "digests": 0}]
            if alike:
                alike[0]["digests"] = sorted([*alike[0]["digests"], digest])
            else:
                entries.append({**new, "digests": [digest]})
            kept = [one for one in entries if one["digests"]]
            content = {"content_hash": _content_hash(kept), "certificates": kept}
            write_whole(path, (json.dumps(content, indent=1) + "\n").encode())


def blocks(experiment: Experiment) -> list[tuple[int, ...]]:
    """The seeds in the blocks in which they run: fewer of wide networks, which train longer."""
    wide = experiment.convolutions or max(experiment.hidden_widths) > WIDEST_FUSED
    block = WIDE_BLOCK if wide else BLOCK
    seeds = experiment.seeds
    return [seeds[first : first + block] for first in range(0, len(seeds), block)]


def block_name(seeds: Sequence[int]) -> str:
    """File name of the weights of one block of seeds."""
    return f"seeds-{min(seeds):04d}-{max(seeds):04d}.npz"


def _may_hold(path: Path, seeds: Sequence[int]) -> bool:
    """Whether the name of a file of weights leaves it open that it has these seeds."""
    named = re.fullmatch(r"seeds-(\d+)-(\d+)\.npz", path.name)
    return not named or int(named[1]) <= min(seeds) <= max(seeds) <= int(named[2])


def read_certificates(root: Path) -> list[dict[str, Any]]:
    """The certificates of a folder.

    Raises
    ------
    ValueError
        If the file is damaged or was edited.
    """
    path = root / "certificates.json"
    return _certificates(path, _state(path)) if path.exists() else []


@lru_cache(maxsize=8)
def _certificates(path: Path, state: tuple[int, ...]) -> list[dict[str, Any]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or set(content) != {"content_hash", "certificates"}:
            raise ValueError("it does not hold content_hash and certificates")
        entries = content["certificates"]
        if content["content_hash"] != _content_hash(entries):
            raise ValueError("it was edited: its content_hash is that of something else")
        well_formed = all(
            set(one) == {"digests", "made", "same_as"}
            and all(isinstance(text, str) for text in one["digests"])
            and all(isinstance(many, list) for many in one["made"].values())
            and all(isinstance(text, str) for text in one["same_as"].values())
            for one in entries
        )
        if not isinstance(entries, list) or not well_formed:
            raise ValueError("it is not a list of digests, made and same_as")
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); restore it, or delete it and run "
            "`python -m ibcore certify`."
        ) from error
    return entries


def _content_hash(entries: object) -> str:
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()[:16]


def _seeds_in(path: Path) -> set[int]:
    """Seeds of a part, from its name: a damaged one is replaced as well."""
    named = re.match(r"(\d+)-(\d+)-", path.name)
    return set(range(int(named[1]), int(named[2]) + 1)) if named else set()


def _copied(folder: Path, target: Path) -> list[Path]:
    """Results in a folder, now in another one too."""
    found = []
    for path in sorted(folder.glob("*.n[cp]*")):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # another process has moved it
            continue
        write_whole(target / path.name, content)
        found.append(path)
    return found


def _trajectory(path: Path) -> Trajectory | None:
    """Stored weights; None if another process has just moved them."""
    try:
        return Trajectory.load(path)
    except ValueError:
        if path.exists():
            raise
        return None


def _holds(whole: xr.Dataset, part: xr.Dataset) -> bool:
    """Whether a plane has all that a part has."""
    dims = all(np.isin(part[dim].values, whole[dim].values).all() for dim in plane.DIMS)
    return dims and set(part.data_vars) <= set(whole.data_vars)


def _stored(folder: Path, digest: str) -> list[tuple[Path, xr.Dataset]]:
    """Files with a plane of this digest, in parts and in packs."""
    parts = sorted((folder / digest).glob("*.nc"))
    found = [(path, from_bytes(path.read_bytes(), path)) for path in parts]
    for path in sorted(folder.glob("*.zip")):
        members = _members(path, _state(path))
        if digest in members:
            found.append((path, from_bytes(members[digest], f"{digest}.nc in {path}")))
    return found


@lru_cache(maxsize=256)
def _members(path: Path, state: tuple[int, ...]) -> dict[str, bytes]:
    return read_pack(path)


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file is replaced, be it within one tick of the clock."""
    about = path.stat()
    return about.st_mtime_ns, about.st_size, about.st_ino
