"""Networks as arrays: initial weights, forward passes, noise; no training."""

from ibcore.networks.convolution import ConvolutionalEnsemble
from ibcore.networks.dense import (
    ACTIVATIONS,
    HOMOGENEOUS,
    KERNEL,
    LEAK,
    RANGE_RATE,
    SMALLEST_RANGE,
    TRUNCATED_STD,
    ActivationFacts,
    Ensemble,
    activation_facts,
    initial_layer,
    layer_shapes,
    lowest_level,
    softmax,
    truncated_normal,
)
from ibcore.networks.noisy import noisy_layers

__all__ = [
    "ACTIVATIONS",
    "HOMOGENEOUS",
    "KERNEL",
    "LEAK",
    "RANGE_RATE",
    "SMALLEST_RANGE",
    "TRUNCATED_STD",
    "ActivationFacts",
    "ConvolutionalEnsemble",
    "Ensemble",
    "activation_facts",
    "initial_layer",
    "layer_shapes",
    "lowest_level",
    "noisy_layers",
    "softmax",
    "truncated_normal",
]
