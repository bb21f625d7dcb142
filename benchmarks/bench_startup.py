"""How long a user waits before anything happens: import, help and list, in processes of their own.

Beside them the import of torch, which every script of this field pays.
"""

import subprocess
import sys
import time


def seconds(*arguments, repeats=5):
    """Best of a few processes."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def table():
    """Print seconds and floors; False where one is missed."""
    rows = [
        ("import ibcore", seconds("-c", "import ibcore"), 0.5),
        ("python -m ibcore --help", seconds("-m", "ibcore", "--help"), 0.8),
        ("python -m ibcore list", seconds("-m", "ibcore", "list"), 0.8),
    ]
    print(f"python {seconds('-c', ''):.2f} s, import torch {seconds('-c', 'import torch'):.2f} s")
    for name, cost, most in rows:
        print(f"{name:40s} {cost:6.2f} s   at most {most}{'' if cost <= most else '   MISSED'}")
    return all(cost <= most for _, cost, most in rows)


if __name__ == "__main__":
    sys.exit(0 if table() else 1)
