"""What a layer says about its input and about the labels, in bits.

A ruler is a frozen dataclass that inherits ``Ruler``; what it owes stands in
``ibcore.estimators.base``. Called with a layer ``t`` (sample, unit) and labels ``y`` it gives
``LayerInformation(i_xt, i_ty)``. One that is added has its own file and its line here.
"""

from ibcore.estimators.adaptive import AdaptiveBinning, NetInputBinning, Quantised, RangeBinning
from ibcore.estimators.base import LayerInformation, Ruler, checked_rulers, from_name
from ibcore.estimators.binning import Binning, EdgeBinning, Exact
from ibcore.estimators.contrastive import InfoNCE
from ibcore.estimators.counting import information_of_codes
from ibcore.estimators.dropout import BernoulliDropout, GaussianDropout
from ibcore.estimators.edge import EDGE
from ibcore.estimators.inputs import checked_layer
from ibcore.estimators.kernel import (
    KernelBound,
    LabelBound,
    MirroredKernelBound,
    TwiceNoisedKernelBound,
)
from ibcore.estimators.linear import LinearGaussian
from ibcore.estimators.propagation import SamplePropagation
from ibcore.estimators.quantile import QuantileBinning, UnitRangeBinning
from ibcore.estimators.rows import OnSomeRows, OnTrainingRows
from ibcore.estimators.sliced import SlicedInformation
from ibcore.estimators.spectral import MatrixRenyi
from ibcore.estimators.usable import UsableInformation
from ibcore.plugins import load_all

__all__ = [
    "EDGE",
    "AdaptiveBinning",
    "BernoulliDropout",
    "Binning",
    "EdgeBinning",
    "Exact",
    "GaussianDropout",
    "InfoNCE",
    "KernelBound",
    "LabelBound",
    "LayerInformation",
    "LinearGaussian",
    "MatrixRenyi",
    "MirroredKernelBound",
    "NetInputBinning",
    "OnSomeRows",
    "OnTrainingRows",
    "QuantileBinning",
    "Quantised",
    "RangeBinning",
    "Ruler",
    "SamplePropagation",
    "SlicedInformation",
    "TwiceNoisedKernelBound",
    "UnitRangeBinning",
    "UsableInformation",
    "checked_layer",
    "checked_rulers",
    "from_name",
    "information_of_codes",
]

load_all("rulers")  # of installed packages: results know a ruler once its class is defined
