"""Networks as arrays: initial weights, forward passes, noise; no training."""

from ibcore.networks.convolution import ConvolutionalEnsemble
from ibcore.networks.dense import (
    ACTIVATIONS,
    HOMOGENEOUS,
    KERNEL,
    LEAK,
    TRUNCATED_STD,
    ActivationFacts,
    Ensemble,
    activation_facts,
    initial_layer,
    layer_shapes,
    softmax,
    truncated_normal,
)
from ibcore.networks.noisy import noisy_layers

__all__ = [
    "ACTIVATIONS",
    "HOMOGENEOUS",
    "KERNEL",
    "LEAK",
    "TRUNCATED_STD",
    "ActivationFacts",
    "ConvolutionalEnsemble",
    "Ensemble",
    "activation_facts",
    "initial_layer",
    "layer_shapes",
    "noisy_layers",
    "softmax",
    "truncated_normal",
]
