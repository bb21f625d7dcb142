"""What a number is worth, which ruler can tell anything, and entropies with less bias."""

from ibcore.reliability.advice import Advice, AdviceTable, advise
from ibcore.reliability.ceilings import label_entropy, ruler_bits
from ibcore.reliability.corrections import (
    CORRECTIONS,
    chao_shen,
    corrected_information,
    grassberger,
    miller_madow,
    nsb,
)
from ibcore.reliability.verdicts import WORDS
from ibcore.reliability.worth import Quantity, Worth, worth, worth_of_pairs

__all__ = [
    "CORRECTIONS",
    "WORDS",
    "Advice",
    "AdviceTable",
    "Quantity",
    "Worth",
    "advise",
    "chao_shen",
    "corrected_information",
    "grassberger",
    "label_entropy",
    "miller_madow",
    "nsb",
    "ruler_bits",
    "worth",
    "worth_of_pairs",
]
