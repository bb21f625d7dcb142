"""Make the stand-in for the Pokémon sightings: ibcore/tasks/data/pokemon_standin.csv.

    IBCORE_DATA=folder python book/_tools/make_pokemon.py

The 2 083 real rows of the three species cannot be shipped. What is known of them is: how many there
are of each species, the exact histograms of temperature and of pressure by species, roughly where
each species was seen, the correlation of latitude and temperature over all sightings, and that 47 %
of the rows share their coordinates with another one. The stand-in has all of this and nothing else.

real        class counts; histograms of temperature and pressure (within a bin, values are uniform)
calibrated  places by species; share of repeated coordinates; latitude against temperature
invented    everything else: which weather goes with which place, pressure against everything
"""

from __future__ import annotations

import csv
import json
import os
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np

SPECIES = {"Diglett": 50, "Seel": 86, "Tauros": 128}
REPEATED = 0.47  # of the rows share exact coordinates with another one
PULL = 0.1  # of latitude on temperature before ranking; leaves a correlation of about -0.22
TARGET = Path(__file__).resolve().parents[2] / "ibcore" / "tasks" / "data" / "pokemon_standin.csv"


def histogram_values(rng: np.random.Generator, histogram: dict, decimals: int) -> np.ndarray:
    """As many values in each bin as the real data have, uniform over its round numbers."""
    edges = np.linspace(histogram["min"], histogram["max"], histogram["bins"] + 1)
    scale, drawn = 10**decimals, []
    for low, high, n in zip(edges[:-1], edges[1:], histogram["counts"], strict=True):
        first, last = int(np.floor(low * scale)) + 1, int(np.ceil(high * scale)) - 1
        drawn.append(rng.integers(first, last + 1, n) / scale)
    return np.concatenate(drawn)


def share_coordinates(rng: np.random.Generator, place: np.ndarray) -> np.ndarray:
    """Let rows near each other stand at one point until the wanted share of rows does."""
    place, wanted = place.copy(), round(REPEATED * len(place))
    free = np.ones(len(place), bool)
    while (~free).sum() < wanted:
        seed = rng.choice(np.flatnonzero(free))
        left = wanted - (~free).sum()
        size = min(2 + rng.geometric(0.6) - 1, left) if left > 3 else left
        others = np.flatnonzero(free & (np.arange(len(place)) != seed))
        away = ((place[others] - place[seed]) ** 2).sum(axis=1)
        group = others[np.argsort(away, kind="stable")[: max(size, 2) - 1]]
        place[group] = place[seed]
        free[[seed, *group]] = False
    return place


def make(folder: Path) -> list[tuple]:
    """Rows (name, class, latitude, longitude, temperature, pressure), in random order."""
    facts = json.loads((folder / "marginals.json").read_text(encoding="utf-8"))
    with (folder / "SYNTHETIC_pokemon_sightings.csv").open(encoding="utf-8") as file:
        pool = [(row["name"], float(row["latitude"]), float(row["longitude"]))
                for row in csv.DictReader(file)]  # fmt: skip
    rng = np.random.Generator(np.random.Philox(key=50_086_128))
    rows = []
    for name, number in SPECIES.items():
        place = np.array([where[1:] for where in pool if where[0] == name])
        histograms = facts["histograms"][name]
        temperature = np.sort(histogram_values(rng, histograms["temperature"], 1))
        pressure = rng.permutation(histogram_values(rng, histograms["pressure"], 2))
        if not len(place) == len(temperature) == len(pressure) == facts["class_counts"][name]:
            raise ValueError(f"{name}: {len(place)} places, {len(temperature)} temperatures")
        latitude = (place[:, 0] - place[:, 0].mean()) / place[:, 0].std()
        warmth = -PULL * latitude + rng.normal(size=len(place))
        order = np.argsort(np.argsort(warmth, kind="stable"), kind="stable")
        rows += [
            (name, number, *where, t, p)
            for where, t, p in zip(place, temperature[order], pressure, strict=True)
        ]
    place = share_coordinates(rng, np.array([row[2:4] for row in rows]))
    rows = [
        (*row[:2], *map(float, where), *row[4:]) for row, where in zip(rows, place, strict=True)
    ]
    return [rows[k] for k in rng.permutation(len(rows))]


def main() -> int:
    """Write the file and print its checksum."""
    rows = make(Path(os.environ["IBCORE_DATA"]) / "pokemon")
    lines = ["name,class,latitude,longitude,temperature,pressure"]
    lines += [f"{n},{c},{a:.6f},{o:.6f},{t:.1f},{p:.2f}" for n, c, a, o, t, p in rows]
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(rows)} rows, sha256 {sha256(TARGET.read_bytes()).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
