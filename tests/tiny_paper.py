"""A paper of one page, in a folder of its own: what a reader adds for claims of their own."""

EXPERIMENTS = """
[chapter]
number = 1
n_bins = 30
observables = ["performance"]
weights = []

[base]
task = "szt"
hidden_widths = [4, 3]
n_seeds = 12
n_epochs = 4
n_measured_epochs = 3
learning_rate = 0.01

[profiles.paper]

[profiles.smoke]

[experiments.small]
"""
CLAIMS = """
[[claims]]
id = "TINY-1"
title = "two and two"
source = "arithmetic"
statement = "Two and two is four."
criterion = "2 + 2 = 4."
question = 1
rank = "check"
setting = "A"
expects = "identity"
date = 2026-11-30
[[claims.tests]]
function = "addition"
[claims.tests.with]
sum = 4
[claims.finding]
holds = "Two and two is four."
fails = "Two and two is something else."

[[claims]]
id = "TINY-2"
title = "layers compress"
source = "nobody"
statement = "All layers compress."
criterion = "C > 0 in every layer; a loss of 0.5 bit is of interest."
question = 2
rank = "headline"
setting = "A"
date = 2026-11-30
[[claims.tests]]
effect = "compression"
planes = ["small"]
layers = "all"
size = 0.5
quantifier = "all"
[claims.finding]
reproduced = "Layers lose {interval}, {k} of {m} of them ({n} networks)."
"direction only" = "Layers lose {interval}."
mixed = "{k} of {m} layers lose information."
open = "It cannot be told: {interval}."
"none found" = "Layers keep what they know."

[[claims]]
id = "TINY-3"
title = "layers compress, once more"
source = "nobody else"
statement = "As before."
question = 2
rank = "supporting"
setting = "A"
date = 2026-11-30
same_evidence_as = "TINY-2"

[[claims]]
id = "TINY-4"
title = "layers are layers"
source = "nobody"
statement = "A layer is a layer."
question = 1
rank = "check"
setting = "A"
date = 2026-11-30
not_testable = "True by construction."

[[claims]]
id = "TINY-5"
title = "large layers compress"
source = "nobody"
statement = "Large layers compress, too."
criterion = "C > 0 in networks of a thousand units."
question = 2
rank = "supporting"
setting = "B"
date = 2026-11-30
waits = "A run with a thousand units."
"""
EVIDENCE = '''
from ibcore.claims.cells import fact


def addition(planes, t):
    """Two and two."""
    return [fact("2 + 2", _sum() == t["sum"])]


def _sum():
    return 2 + 2


def nobody_asks(planes, t):
    return []
'''


def write(folder, *, claims=CLAIMS, evidence=EVIDENCE, name="tiny"):
    """Write the paper below ``folder``, which then is a folder of papers."""
    paper = folder / name
    paper.mkdir(parents=True, exist_ok=True)
    (paper / "experiments.toml").write_text(EXPERIMENTS, encoding="utf-8")
    (paper / "claims.toml").write_text(claims, encoding="utf-8")
    (paper / "evidence.py").write_text(evidence, encoding="utf-8")
    return folder
