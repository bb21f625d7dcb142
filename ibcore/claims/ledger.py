"""The ledger: all verdicts together, generated and never edited by hand.

``ledger.json`` is a list with one entry per claim. The tests behind every entry stand beside it
in ``verdicts/<chapter>.json``.
"""

import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ibcore.claims.registry import CHAPTERS, find_claim, load_registry
from ibcore.claims.verdict import LEDGER_KEYS, Verdict


def write_ledger(path: str | Path, verdicts: Iterable[Verdict]) -> None:
    """Put verdicts into the ledger, each in the place of an older one of its id.

    Every file is written beside its place and then renamed, so that none is ever half there.

    Raises
    ------
    ValueError
        If something else than a verdict is given, or the ledger that is there is damaged.
    """
    path, verdicts = Path(path), list(verdicts)
    for verdict in verdicts:
        if not isinstance(verdict, Verdict):
            raise ValueError(f"the ledger takes verdicts from judge(), got {verdict!r}.")
    entries = {entry["id"]: entry for entry in (load_ledger(path) if path.exists() else ())}
    entries |= {verdict.id: ledger_entry(verdict) for verdict in verdicts}
    for chapter in sorted({verdict.chapter for verdict in verdicts}):
        file = path.parent / "verdicts" / f"{chapter}.json"
        details = _read(file) if file.exists() else []
        known = {entry["id"]: entry for entry in details}
        known |= {v.id: verdict_details(v) for v in verdicts if v.chapter == chapter}
        _write(file, _ordered(known))
    _write(path, _ordered(entries))


def load_ledger(path: str | Path) -> list[dict[str, Any]]:
    """Read the ledger and check it against the registry.

    Raises
    ------
    ValueError
        If an entry has other keys, an unknown id, a word its claim cannot give, or another
        chapter than its claim.
    """
    entries = _read(Path(path))
    for entry in entries:
        _check(entry, path)
    return entries


def ledger_entry(verdict: Verdict) -> dict[str, Any]:
    """Return the line of a verdict in the ledger; a number that is not finite becomes null."""
    return {key: _finite(getattr(verdict, key)) for key in LEDGER_KEYS}


def verdict_details(verdict: Verdict) -> dict[str, Any]:
    """Return everything a verdict rests on, ready for JSON."""
    parts = [{key: _finite(value) for key, value in asdict(p).items()} for p in verdict.parts]
    return {
        **ledger_entry(verdict),
        "verdict_without_unlearnt": verdict.verdict_without_unlearnt,
        "saturated_layers": list(verdict.saturated_layers),
        "cells": dict(verdict.cells),
        "majority": verdict.majority,
        "registry_hash": verdict.registry_hash,
        "parts": parts,
    }


def _check(entry: Any, path: str | Path) -> None:
    if not isinstance(entry, dict) or set(entry) != set(LEDGER_KEYS):
        raise ValueError(
            f"{path}: an entry must have the keys {', '.join(LEDGER_KEYS)}, got {entry!r}; "
            "write it again with write_ledger."
        )
    claim = find_claim(entry["id"])
    if entry["verdict"] not in claim.words:
        raise ValueError(
            f"{path}: {claim.id} can be {', '.join(claim.words)}, got {entry['verdict']!r}; "
            "judge it again."
        )
    if entry["chapter"] != claim.chapter:
        raise ValueError(
            f"{path}: {claim.id} belongs to {claim.chapter}, got {entry['chapter']!r}; "
            "judge it again."
        )


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON ({error}); remove it and judge again.") from error
    if not isinstance(entries, list):
        raise ValueError(f"{path} must hold a list, got {type(entries).__name__}.")
    return entries


def _ordered(entries: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    order = [claim.id for chapter in CHAPTERS for claim in load_registry(chapter)]
    return [entries[name] for name in order if name in entries]


def _write(path: Path, content: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    beside.write_text(text + "\n", encoding="utf-8")
    os.replace(beside, path)


def _finite(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
