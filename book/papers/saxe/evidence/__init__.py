"""Evidence for the claims of Saxe et al. and of their student replication: planes in, parts out.

One function per claim, named in ``claims.toml``, where the criterion is written in
words and every number stands. Layers of the 12-10-7-5-4-3-2 networks are 1 to 6.
"""

from .causes import gradient_noise, little_data, norms_grow, signal_to_noise
from .linear import (
    irrelevant_inputs,
    linear_deep,
    linear_generalises,
    net_input_neuron,
    one_neuron,
    overtraining,
    rescaling,
    same_plane,
    twins,
)
from .planes import (
    activations,
    machine_precision,
    mnist_relu,
    mnist_tanh,
    neighbours,
    net_input_bins,
    relu_grows,
    rulers_agree,
    saturation,
    tanh_compresses,
)
from .students import (
    coding,
    dissociation,
    entropy_formula,
    general_case,
    linear_both,
    mnist_both,
    relu_everywhere,
    sigmoid,
    simple_networks,
    targets,
    what_decides,
)

__all__ = [
    "activations", "coding", "dissociation", "entropy_formula", "general_case", "gradient_noise",
    "irrelevant_inputs", "linear_both", "linear_deep", "linear_generalises", "little_data",
    "machine_precision", "mnist_both", "mnist_relu", "mnist_tanh", "neighbours", "net_input_bins",
    "net_input_neuron", "norms_grow", "one_neuron", "overtraining", "relu_everywhere",
    "relu_grows", "rescaling", "rulers_agree", "same_plane", "saturation", "sigmoid",
    "signal_to_noise", "simple_networks", "tanh_compresses", "targets", "twins", "what_decides",
]  # fmt: skip
