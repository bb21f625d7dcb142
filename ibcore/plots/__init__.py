"""Figures of information planes and of the numbers drawn from them.

Data first, everything else by keyword; each function draws on the given axes, or on a new figure,
and returns the axes. Nothing is estimated here: only medians and quantiles over seeds are taken.
Call :func:`use_style` once for figures that read on white and on dark pages.
"""

from ibcore.plots.atlas import (
    PARTS,
    RulerSlider,
    histogram,
    known_parts,
    lines,
    verdict_map,
)
from ibcore.plots.curves import gradient_phases, learning_curves, snr
from ibcore.plots.ends import ib_curve, sizes
from ibcore.plots.names import activation_label, ruler_label
from ibcore.plots.planes import (
    compare_planes,
    information_over_time,
    information_plane,
    layers_over_time,
    overview,
    snapshots,
)
from ibcore.plots.results import (
    by_layer,
    compression_by_layer,
    depth_times,
    dots,
    falls,
    phase_share,
    scatter_relation,
)
from ibcore.plots.style import layer_look, look, use_style

__all__ = [
    "PARTS",
    "RulerSlider",
    "activation_label",
    "by_layer",
    "compare_planes",
    "compression_by_layer",
    "depth_times",
    "dots",
    "falls",
    "gradient_phases",
    "histogram",
    "ib_curve",
    "information_over_time",
    "information_plane",
    "known_parts",
    "layer_look",
    "layers_over_time",
    "learning_curves",
    "lines",
    "look",
    "overview",
    "phase_share",
    "ruler_label",
    "scatter_relation",
    "sizes",
    "snapshots",
    "snr",
    "use_style",
    "verdict_map",
]
