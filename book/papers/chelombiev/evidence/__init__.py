"""Evidence for the claims of Chelombiev, Houghton & O'Donnell: planes in, parts of criteria out.

One function per claim, named in ``claims.toml``, where the criterion is written
in words and every number stands. Layers of the 12-10-7-5-4-3-2 networks are 1 to 6.
"""

from .accuracy import (
    activations_and_accuracy,
    score_and_accuracy,
    scores,
    ten_are_enough,
)
from .activations import (
    PENALTIES,
    better_with_l2,
    many_activations,
    mean_compression,
    more_penalty,
    one_point,
    penalty_by_layer,
    without_saturation,
)
from .rulers import (
    averages,
    behaviours,
    compression_first,
    first_bins,
    lowest_bin,
    noise_entropy,
    output_varies_less,
    ranges,
    rulers_agree,
    underestimated,
)

__all__ = [
    "PENALTIES",
    "activations_and_accuracy",
    "averages",
    "behaviours",
    "better_with_l2",
    "compression_first",
    "first_bins",
    "lowest_bin",
    "many_activations",
    "mean_compression",
    "more_penalty",
    "noise_entropy",
    "one_point",
    "output_varies_less",
    "penalty_by_layer",
    "ranges",
    "rulers_agree",
    "score_and_accuracy",
    "scores",
    "ten_are_enough",
    "underestimated",
    "without_saturation",
]
