"""ibcore: information planes of neural networks, the rulers they need, and claims about them."""

from ibcore import config, geometry, information, plane, plots, theory
from ibcore.config import Experiment
from ibcore.decomposition import decompose
from ibcore.estimators import (
    AdaptiveBinning,
    Binning,
    EdgeBinning,
    Exact,
    KernelBound,
    LabelBound,
    LayerInformation,
    LinearGaussian,
    NetInputBinning,
    OnTrainingRows,
    Quantised,
    RangeBinning,
    SamplePropagation,
)
from ibcore.experiment import load_or_run, run
from ibcore.measure import measure
from ibcore.networks import Ensemble
from ibcore.networks.noisy import noisy_layers
from ibcore.parameters import check_parameters
from ibcore.store import Store
from ibcore.study import Study
from ibcore.tasks import Task, load_task
from ibcore.training import Trajectory, train

__version__ = "0.1.0"

__all__ = [
    "AdaptiveBinning",
    "Binning",
    "EdgeBinning",
    "Ensemble",
    "Exact",
    "Experiment",
    "KernelBound",
    "LabelBound",
    "LayerInformation",
    "LinearGaussian",
    "NetInputBinning",
    "OnTrainingRows",
    "Quantised",
    "RangeBinning",
    "SamplePropagation",
    "Store",
    "Study",
    "Task",
    "Trajectory",
    "check_parameters",
    "config",
    "decompose",
    "geometry",
    "information",
    "load_or_run",
    "load_task",
    "measure",
    "noisy_layers",
    "plane",
    "plots",
    "run",
    "theory",
    "train",
]
