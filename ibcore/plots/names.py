"""What figures and tables call a ruler and an activation, as a reader would."""

import numpy as np

_ACTIVATIONS = {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "prelu": "PReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "swish": "Swish",
    "abs": "absolute value",
}


def activation_label(name: str) -> str:
    """What an activation is called, from its name in an experiment.

    Examples
    --------
    >>> activation_label("leaky_relu"), activation_label("hard_tanh"), activation_label("tanh")
    ('leaky ReLU', 'hard tanh', 'tanh')
    """
    return _ACTIVATIONS.get(name, name.replace("_", " "))


def ruler_label(name: str) -> str:
    """A few words for the repr of a ruler, as a figure has room for.

    Examples
    --------
    >>> ruler_label("Binning(n_bins=30, low=-1.0, high=1.0)")
    '30 bins on [−1, 1]'
    >>> ruler_label("KernelBound(noise_variance=0.0009765625, bound='upper')")
    'noise variance 0.00098'
    """
    kind, settings = name.rstrip(")").split("(", 1)
    given = dict(one.split("=") for one in settings.split(", ") if one)
    bins = given.get("n_bins", "")
    match kind:
        case "Binning" if bins:
            low, high = (f"{float(given[end]):g}".replace("-", "−") for end in ("low", "high"))
            return f"{bins} bins on [{low}, {high}]"
        case "RangeBinning":
            return f"{bins} bins on the run's range"
        case "AdaptiveBinning":
            return f"EBAB, {bins} bins{', as released' * ('released' in given)}"
        case "NetInputBinning":
            released = given.get("collapsed") == "True"
            return f"net-input bins{', as released' * released}"
        case "KernelBound":
            variance = float(f"{float(given['noise_variance']):.2g}")
            return f"noise variance {np.format_float_positional(variance, trim='-')}"
        case "Quantised":
            return f"{given['n_bits']} bit{'s' * (given['n_bits'] != '1')} per unit"
        case "EdgeBinning":
            return f"{given['n_edges']} edges on [−1, 1], as released"
        case "Exact":
            return "float32 rows"
    return name
