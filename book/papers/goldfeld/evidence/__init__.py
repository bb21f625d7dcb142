"""Evidence for the claims of Goldfeld et al. (2019, 2020): planes in, parts of criteria out.

One function per claim, named in ``claims.toml``, where the criterion is written
in words and every number stands. Layers of the 12-10-7-5-4-3-2 networks are 1 to 6.
"""

from .networks import (
    bin_size,
    clustering,
    convolutional,
    corners,
    noise_is_measured,
    noise_scan,
    not_needed,
    orthonormal,
    rises_and_falls,
    rows_stay_apart,
    spiral,
)
from .theorems import (
    codes,
    integration,
    levels,
    plateaus,
    rate,
    risk,
    rivals,
    samples_needed,
)

__all__ = [
    "bin_size", "clustering", "codes", "convolutional", "corners", "integration", "levels",
    "noise_is_measured", "noise_scan", "not_needed", "orthonormal", "plateaus", "rate",
    "rises_and_falls", "risk", "rivals", "rows_stay_apart", "samples_needed", "spiral",
]  # fmt: skip
