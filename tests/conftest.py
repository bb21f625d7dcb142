"""What every test shares: how hard hypothesis tries, and a backend of matplotlib without windows.

`make test` draws the same examples each time, so that a red run is red again; `make test-long`
draws many more, new ones each time.
"""

import os
import sys
from pathlib import Path

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "agg")

# The book's tools are scripts, not a package.
sys.path.insert(0, str(Path(__file__).parents[1] / "book" / "_tools"))

settings.register_profile("test", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))
