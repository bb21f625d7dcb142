"""Claims and what became of them: vocabulary, registry, effects, decisions, verdicts, ledger."""

from ibcore.claims import effects
from ibcore.claims.cells import Cell, cell, correlation, fact, share
from ibcore.claims.checks import Check
from ibcore.claims.decide import CheckVerdict, decide
from ibcore.claims.judge import checks_of, judge
from ibcore.claims.ledger import (
    ledger_entry,
    load_ledger,
    refresh_findings,
    verdict_details,
    write_ledger,
)
from ibcore.claims.registry import (
    Claim,
    asked,
    find_claim,
    load_registry,
    planes_of,
    questions,
    read_claims,
    tensions,
)
from ibcore.claims.verdict import BADGES, LEDGER_KEYS, MARKS, NoVerdict, Verdict, badge
from ibcore.claims.words import RANKS, SETTINGS, WORDS, shown, word_of

__all__ = [
    "BADGES",
    "LEDGER_KEYS",
    "MARKS",
    "RANKS",
    "SETTINGS",
    "WORDS",
    "Cell",
    "Check",
    "CheckVerdict",
    "Claim",
    "NoVerdict",
    "Verdict",
    "asked",
    "badge",
    "cell",
    "checks_of",
    "correlation",
    "decide",
    "effects",
    "fact",
    "find_claim",
    "judge",
    "ledger_entry",
    "load_ledger",
    "load_registry",
    "planes_of",
    "questions",
    "read_claims",
    "refresh_findings",
    "share",
    "shown",
    "tensions",
    "verdict_details",
    "word_of",
    "write_ledger",
]  # fmt: skip
