"""Closed forms and exact curves: what an estimate is held against. No randomness.

All information is in bits. Books and papers often write nats; the factor is
1 nat = 1 / ln 2 = 1.442695 bits.
"""

from ibcore.theory.bottleneck import (
    critical_beta,
    ib_curve,
    ib_encoder,
    minimal_statistic,
    relevance_at,
    squared_ib_curve,
)
from ibcore.theory.gaussian import (
    canonical_correlations,
    gaussian_ib_curve,
    gaussian_ib_relevance,
    gaussian_information,
    linear_gaussian_information,
    single_neuron_information,
)
from ibcore.theory.laws import first_time, held_out_error
from ibcore.theory.learning import (
    generalisation_error,
    input_information,
    shallow_student,
    student_information,
)
from ibcore.theory.mixtures import mixture_information, pairwise_bound
from ibcore.theory.neuron import NeuronPath, learning_neuron
from ibcore.theory.position import distance_to_curve, label_ib_curve

__all__ = [
    "NeuronPath",
    "canonical_correlations",
    "critical_beta",
    "distance_to_curve",
    "first_time",
    "gaussian_ib_curve",
    "gaussian_ib_relevance",
    "gaussian_information",
    "generalisation_error",
    "held_out_error",
    "ib_curve",
    "ib_encoder",
    "input_information",
    "label_ib_curve",
    "learning_neuron",
    "linear_gaussian_information",
    "minimal_statistic",
    "mixture_information",
    "pairwise_bound",
    "relevance_at",
    "shallow_student",
    "single_neuron_information",
    "squared_ib_curve",
    "student_information",
]
