"""Write requirements.lock and environment.yml from the packages of this environment.

python book/_tools/lock.py           both files
python book/_tools/lock.py --conda   environment.yml only, from requirements.lock
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
CONDA = ROOT / "environment.yml"

# pip itself, this package, and what the CUDA build of torch brings along on some machines.
NOT_PINNED = ("pip==", "wheel==", "ibcore==", "nvidia-", "cuda-", "triton==")

HEAD = """\
# Every package of the environment, exactly. Written by `make lock`, as is environment.yml.
"""

CONDA_HEAD = """\
# The set of requirements.lock for conda users. Written by `make lock`.
#     conda env create -f environment.yml && conda activate information-bottleneck-book
#     pip install --no-deps --no-build-isolation -e .
name: information-bottleneck-book
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def frozen() -> list[str]:
    """The pins of this environment, without pip itself, ibcore, or a build's local label."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=freeze", "--exclude-editable"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    pins = [pin.split("+")[0] for pin in listed]
    return sorted(
        (pin for pin in pins if not pin.startswith(NOT_PINNED)),
        key=str.lower,
    )


def pins(text: str) -> list[str]:
    """The pins of a lock file."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def conda_environment(locked: list[str]) -> str:
    """environment.yml for these pins."""
    return CONDA_HEAD + "".join(f"      - {pin}\n" for pin in locked)


def main(arguments: list[str]) -> None:
    if "--conda" not in arguments:
        LOCK.write_text(HEAD + "\n".join(frozen()) + "\n")
    CONDA.write_text(conda_environment(pins(LOCK.read_text())))


if __name__ == "__main__":
    main(sys.argv[1:])
