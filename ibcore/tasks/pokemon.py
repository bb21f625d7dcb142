"""Sightings of Diglett, Seel and Tauros: four numbers about place and weather, three classes.

The real rows come from the Kaggle data set semioniy/predictemall, file 300k.csv, which cannot be
shipped. What is shipped is a calibrated stand-in with the same numbers of rows per class, the same
histograms of temperature and pressure, and invented weather at each place; the script
book/_tools/make_pokemon.py made it and says what is real in it. Its results say nothing about the
real data.
"""

import os
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ibcore.tasks.base import Task

FEATURES = ("longitude", "latitude", "temperature", "pressure")
CLASSES = {50: "Diglett", 86: "Seel", 128: "Tauros"}
COUNTS = {50: 721, 86: 692, 128: 670}
N_SIGHTINGS = 296_021  # rows of 300k.csv
STAND_IN_SHA256 = "1bc4979fc28803cb6396758e50c22c3d2249044a76a5539cd29a23a6d5ba0e5e"
WHERE = (
    "the file needed is 300k.csv of the Kaggle data set semioniy/predictemall "
    "(https://www.kaggle.com/datasets/semioniy/predictemall); put it into the folder pokemon of "
    "IBCORE_DATA"
)


def load_pokemon() -> Task:
    """Stand-in, each feature with mean 0 and standard deviation 1."""
    return _task("pokemon", _stand_in(), _standardised)


def load_pokemon_minmax() -> Task:
    """Stand-in, each feature between 0 and 1."""
    return _task("pokemon_minmax", _stand_in(), _between_0_and_1)


def load_pokemon_real() -> Task:
    """The real rows, each feature with mean 0 and standard deviation 1."""
    return _task("pokemon_real", real_sightings(), _standardised)


def load_pokemon_real_minmax() -> Task:
    """The real rows, each feature between 0 and 1."""
    return _task("pokemon_real_minmax", real_sightings(), _between_0_and_1)


def sightings(name: str = "pokemon") -> pd.DataFrame:
    """Rows of a task before scaling: class and the four features in their units.

    Parameters
    ----------
    name : str
        A task of this module; those with "real" in their name read the real file.
    """
    return real_sightings() if "real" in name else _stand_in()


def _task(
    name: str, table: pd.DataFrame, scaled: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Task:
    classes = list(CLASSES)
    what = "sightings" if "real" in name else "stand-in for sightings"
    _, groups = np.unique(table[["latitude", "longitude"]].to_numpy(), axis=0, return_inverse=True)
    return Task(
        name=name,
        x=scaled(table[list(FEATURES)].to_numpy(np.float64)).astype(np.float32),
        y=np.array([classes.index(one) for one in table["class"]]),
        n_classes=3,
        description=f"{what} of {', '.join(CLASSES.values())}: place and weather",
        groups=groups.ravel(),
    )


def _standardised(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return (x - x.mean(axis=0)) / x.std(axis=0)


def _between_0_and_1(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return (x - x.min(axis=0)) / np.ptp(x, axis=0)


def _stand_in() -> pd.DataFrame:
    file = files("ibcore.tasks") / "data" / "pokemon_standin.csv"
    found = sha256(file.read_bytes()).hexdigest()
    if found != STAND_IN_SHA256:
        raise ValueError(
            f"{file} is not the stand-in of this version: its sha256 begins with {found[:12]}, "
            f"not {STAND_IN_SHA256[:12]}; install ibcore again."
        )
    with file.open(encoding="utf-8") as opened:
        return pd.read_csv(opened)


def real_sightings() -> pd.DataFrame:
    """The 2 083 real rows: from the extract in the user's cache, or from 300k.csv.

    Raises
    ------
    OSError
        If the file is nowhere.
    ValueError
        If a file of that name is another one; the message says in what.
    """
    import pooch

    cache = Path(os.environ.get("IBCORE_CACHE") or pooch.os_cache("ibcore")) / "pokemon"
    extract, checksum = cache / "sightings_2083.csv", cache / "sightings_2083.sha256"
    kept = checksum.read_text("utf-8").strip() if checksum.exists() else ""
    if extract.exists() and sha256(extract.read_bytes()).hexdigest() == kept:
        return pd.read_csv(extract)
    table = read_sightings(_find(cache))
    cache.mkdir(parents=True, exist_ok=True)
    beside = extract.with_name(f"{extract.name}.{os.getpid()}.partial")  # one for each process
    table.to_csv(beside, index=False, lineterminator="\n")
    checksum.write_text(sha256(beside.read_bytes()).hexdigest() + "\n", encoding="utf-8")
    beside.replace(extract)
    return table


def _find(cache: Path) -> Path:
    """300k.csv: in IBCORE_DATA, in the cache, or by kagglehub where it is installed."""
    named = os.environ.get("IBCORE_DATA")
    for folder in ([Path(named) / "pokemon"] if named else []) + [cache]:
        if (folder / "300k.csv").is_file():
            return folder / "300k.csv"
    if find_spec("kagglehub"):
        import kagglehub

        return Path(kagglehub.dataset_download("semioniy/predictemall", path="300k.csv"))
    raise OSError(f"no Pokémon sightings on this machine: {WHERE}, or pip install kagglehub.")


def read_sightings(path: Path) -> pd.DataFrame:
    """Rows of the three classes from 300k.csv, with every check that tells it from other files."""
    columns = list(pd.read_csv(path, nrows=0).columns)
    if "pokedex_number" in columns or "base_total" in columns:
        raise ValueError(
            f"{path.name} is the table of 801 species (rounakbanik/pokemon), which has no "
            f"sightings; {WHERE}."
        )
    wanted = ["class", "latitude", "longitude", "temperature", "pressure"]
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise ValueError(f"{path.name} has no column {', '.join(missing)}; {WHERE}.")
    table = pd.read_csv(path, usecols=wanted)[wanted]
    if len(table) != N_SIGHTINGS:
        raise ValueError(
            f"{path.name} has {len(table)} rows, not {N_SIGHTINGS}: it is cut off or another "
            f"file; {WHERE}."
        )
    chosen = table[table["class"].isin(COUNTS)].reset_index(drop=True)
    counts = chosen["class"].value_counts().to_dict()
    if counts != COUNTS:
        raise ValueError(
            f"{path.name} has {counts} rows of the classes {list(COUNTS)}, expected {COUNTS}; "
            f"{WHERE}."
        )
    empty = chosen.columns[chosen.isna().any()].tolist()
    if empty:
        raise ValueError(f"{path.name} lacks values of {', '.join(empty)}; {WHERE}.")
    return chosen
