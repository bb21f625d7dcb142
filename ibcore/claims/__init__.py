"""Claims and what became of them: registry, effects, decisions, verdicts, ledger."""

from ibcore.claims import effects
from ibcore.claims.decide import Part, PartVerdict, decide_part
from ibcore.claims.judge import evidence, judge
from ibcore.claims.ledger import ledger_entry, load_ledger, verdict_details, write_ledger
from ibcore.claims.registry import (
    EFFECT_WORDS,
    IDENTITY_WORDS,
    Claim,
    find_claim,
    load_registry,
    registry_hash,
)
from ibcore.claims.verdict import BADGES, LEDGER_KEYS, NoVerdict, Verdict, badge
from ibcore.claims.words import combine

__all__ = [
    "BADGES",
    "EFFECT_WORDS",
    "IDENTITY_WORDS",
    "LEDGER_KEYS",
    "Claim",
    "NoVerdict",
    "Part",
    "PartVerdict",
    "Verdict",
    "badge",
    "combine",
    "decide_part",
    "effects",
    "evidence",
    "find_claim",
    "judge",
    "ledger_entry",
    "load_ledger",
    "load_registry",
    "registry_hash",
    "verdict_details",
    "write_ledger",
]
