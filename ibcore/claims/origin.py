"""Where a verdict comes from: the runs behind it, as their planes record them; and its command.

Nothing here decides anything, so that no criterion's hash covers it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from html import escape
from typing import Any

import xarray as xr

from ibcore.claims.registry import Claim, planes_of
from ibcore.config import Experiment

_SCALE = ("n_seeds", "first_seed", "n_measured_epochs", "measured_epochs")
_ALWAYS = (
    "task", "hidden_widths", "activation", "optimizer", "learning_rate", "batch_size", "n_epochs",
    "train_fraction",
)  # fmt: skip
_MOST_RULERS = 4
_ANY_RULER = "KernelBound(noise_variance=0.1, bound='upper')"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One stored plane, in the words of its own attributes."""

    name: str
    digest: str
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    code: str
    engine: str
    machine: str
    versions: Mapping[str, str]
    started: str
    seconds: float
    rulers: tuple[str, ...]
    file: str = ""

    @property
    def family(self) -> str:
        """Its name without a number at its end."""
        return re.sub(r"_\d+$", "", self.name)


def run_of(name: str, attrs: Mapping[str, Any], seeds: Iterable[int], rulers: Iterable[str]) -> Run:
    """The run that made a plane, from the plane's attributes."""
    return Run(
        name=name,
        digest=str(attrs["digest"]),
        seeds=tuple(int(one) for one in seeds),
        settings=json.loads(attrs["experiment"]),
        code=str(attrs["code_digest"]),
        engine=str(attrs["engine"]),
        machine=" and ".join(_machines(attrs)),
        versions=json.loads(attrs["versions"]),
        started=str(attrs["started"]),
        seconds=float(attrs["duration_s"]),
        rulers=tuple(str(one) for one in rulers),
    )


def _machines(attrs: Mapping[str, Any]) -> list[str]:
    """The machine of a plane, or those of the parts that it was put together from."""
    parts = json.loads(attrs.get("parts", "[]")) or [{}]
    return sorted({str(part.get("machine", attrs["machine"])) for part in parts})


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The runs behind one verdict, and the rulers that it looked at.

    Parameters
    ----------
    chapter, claim : str
    runs : tuple of Run
    rulers : tuple of str
        Those that decided, by their names.
    fixed : bool
        The criterion names its rulers itself: a reader's cannot stand in.
    """

    chapter: str
    claim: str
    runs: tuple[Run, ...]
    rulers: tuple[str, ...]
    fixed: bool

    @property
    def others(self) -> tuple[str, ...]:
        """Rulers that every plane holds beside those that decided."""
        held = [set(run.rulers) for run in self.runs]
        common = set.intersection(*held) if held else set()
        first = self.runs[0].rulers if self.runs else ()
        return tuple(one for one in first if one in common and one not in self.rulers)

    @property
    def command(self) -> str:
        """What judges the claim again, with another ruler where the criterion leaves it open."""
        ruler = None if self.fixed or not self.runs else [*self.others, _ANY_RULER][0]
        return judge_again(self.chapter, self.claim, ruler)

    def html(self) -> str:
        """A folded panel."""
        parts = [f"<p>{escape(line)}</p>" for line in (_said_of_rulers(self), *machines(self.runs))]
        if self.runs:
            pairs = (
                f"<dt>{escape(what)}</dt><dd>{escape(said)}</dd>"
                for what, said in described(self.runs)
            )
            parts.insert(1, f"<dl>{''.join(pairs)}</dl>")
        again = "Judge it again" + ("" if self.fixed or not self.runs else " with another ruler")
        parts.append(f"<p>{again}:</p><pre>{escape(self.command, quote=False)}</pre>")
        inside = "".join(parts)
        return f'<details class="origin"><summary>Where it comes from</summary>{inside}</details>'


def origin_of(claim: Claim, planes: Mapping[str, xr.Dataset], ruler: str | None = None) -> Origin:
    """Where the verdict on a claim comes from that was judged on these planes.

    Parameters
    ----------
    claim : Claim
    planes : {experiment: plane}
    ruler : str, optional
        The reader's; the main one of each plane by default.
    """
    runs = tuple(
        run_of(
            name,
            planes[name].attrs,
            planes[name]["seed"].values,
            planes[name]["estimator"].values,
        )
        for name in planes_of(claim)
    )
    return origin_of_runs(claim, runs, ruler)


def origin_of_runs(claim: Claim, runs: Sequence[Run], ruler: str | None = None) -> Origin:
    """The same from runs that were read before."""
    decided_by = [ruler] if ruler else [run.rulers[0] for run in runs if run.rulers]
    named = [one for spec in claim.tests for one in named_rulers(dict(spec.entry))]
    if claim.all_rulers:
        decided_by = []
    return Origin(
        chapter=claim.chapter,
        claim=claim.id,
        runs=tuple(runs),
        rulers=tuple(dict.fromkeys([*decided_by, *named])),
        fixed=claim.all_rulers,
    )


def judge_again(chapter: str, claim: str, ruler: str | None = None) -> str:
    """The command that judges one claim again; the only place where its form is written.

    >>> judge_again("saxe", "SAXE-F1A", "RangeBinning(n_bins=100)")
    'python -m ibcore run saxe --claim SAXE-F1A --set "ruler=RangeBinning(n_bins=100)"'
    """
    said = f"python -m ibcore run {chapter} --claim {claim}"
    return said if ruler is None else f'{said} --set "ruler={ruler}"'


def named_rulers(entry: Any) -> list[str]:
    """Rulers that a test names, wherever in its entry.

    >>> named_rulers({"minus_ruler": "Exact()", "with": {"rulers": ["EDGE(seed=1)"], "k": "tanh"}})
    ['Exact()', 'EDGE(seed=1)']
    """
    if isinstance(entry, str):
        return [entry] if re.fullmatch(r"[A-Z]\w*\(.*\)", entry) else []
    inside = entry.values() if isinstance(entry, Mapping) else entry
    if not isinstance(inside, Iterable):
        return []
    return list(dict.fromkeys(one for part in inside for one in named_rulers(part)))


def described(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Name -> networks, settings, code, day and duration; a family is one line.

    What all runs have in common stands first.
    """
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.family, run.code), []).append(run)
    common = _common([_settings(run) for run in runs])
    lines = [("all runs", _listed(common))] if len(runs) > 1 and common else []
    for (family, code), members in groups.items():
        own = _merged([_settings(run) for run in members])
        kept = own if len(runs) == 1 else {k: v for k, v in own.items() if k not in common}
        name = family if len(members) > 1 else members[0].name
        said = [_networks(members), _listed(kept), f"code {code}", _when(members)]
        lines.append((name, "; ".join(filter(None, said))))
    return lines


def machines(runs: Iterable[Run]) -> list[str]:
    """The machines, engines and versions of runs, one line each."""
    lines = {
        f"{run.machine}, engine {run.engine}; "
        + ", ".join(f"{name} {number}" for name, number in run.versions.items())
        for run in runs
    }
    return sorted(lines)


def duration(seconds: float) -> str:
    """A time as people say it.

    >>> duration(17.4), duration(285), duration(9000)
    ('17 s', '5 min', '2 h 30 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _settings(run: Run) -> dict[str, str]:
    """The fields that every experiment states, and those that are not as they are by default."""
    default = _defaults()
    return {
        name: _shown(run.settings[name])
        for name in (*_ALWAYS, *sorted(set(run.settings) - set(_ALWAYS)))
        if name not in _SCALE
        and name in run.settings
        and (name in _ALWAYS or run.settings[name] != default.get(name))
    }


@cache
def _defaults() -> dict[str, Any]:
    """The fields of an experiment that says nothing, as a plane has them."""
    return json.loads(json.dumps(asdict(Experiment())))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(map(_shown, value)) or "none"
    return "all" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _common(every: Sequence[Mapping[str, str]]) -> dict[str, str]:
    if not every:
        return {}
    first, *rest = every
    return {k: v for k, v in first.items() if all(one.get(k) == v for one in rest)}


def _merged(every: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """One value of each setting, or the smallest and the largest, or the first few."""
    names = dict.fromkeys(name for one in every for name in one)
    return {name: _spread([one[name] for one in every if name in one]) for name in names}


def _spread(values: Sequence[str]) -> str:
    different = list(dict.fromkeys(values))
    if len(different) == 1:
        return different[0]
    try:
        ordered = sorted(different, key=float)
    except ValueError:
        return " / ".join(different[:4]) + (" / ..." if len(different) > 4 else "")
    return f"{ordered[0]} to {ordered[-1]}"


def _listed(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def _networks(runs: Sequence[Run]) -> str:
    """How many networks of how many experiments, and their seeds."""
    sizes = sorted({len(run.seeds) for run in runs})
    many = f"{sizes[0]} to {sizes[-1]}" if len(sizes) > 1 else str(sizes[0])
    said = f"{many} network{'s' * (many != '1')}"
    if len(runs) > 1:
        said = f"{len(runs)} experiments of {said}"
    every = sorted({seed for run in runs for seed in run.seeds})
    join = "to" if every[-1] - every[0] + 1 == len(every) else "..."
    return f"{said}, seeds {every[0]} {join} {every[-1]}"


def _when(runs: Sequence[Run]) -> str:
    days = sorted({run.started[:10] for run in runs})
    span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"computed {span} in {duration(sum(run.seconds for run in runs))}"


def _said_of_rulers(origin: Origin) -> str:
    if not origin.runs:
        return "No training: it is computed when it is judged."
    if not origin.rulers:
        return "The criterion looks at rulers, or at other quantities, of its own choice."
    said = f"Measured by {_several(origin.rulers)}."
    return said + (f" Also stored: {_several(origin.others)}." if origin.others else "")


def _several(names: Sequence[str]) -> str:
    more = len(names) - _MOST_RULERS
    return "; ".join(names[:_MOST_RULERS]) + (f"; and {more} more" if more > 0 else "")
