"""Tasks of images: scikit-learn's digits and MNIST."""

import gzip
import os
from hashlib import sha256
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ibcore.tasks.base import Task

DIGITS_KEY = 1797  # of the canonical split; any number would do
DIGITS_TEST_ROWS = 360

MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/ae608a02b796c9ee908c082585a5f006fe05258e/",
)


def load_digits() -> Task:
    """1797 images of 8 x 8 pixels in [0, 1], embedded in scikit-learn.

    The canonical split sorts raw 64-bit words of Philox with key 1797: the first 360 rows in
    that order are the test rows.
    """
    from sklearn.datasets import load_digits as embedded_digits

    pixels, y = embedded_digits(return_X_y=True)
    order = np.argsort(np.random.Philox(key=DIGITS_KEY).random_raw(len(y)), kind="stable")
    return Task(
        name="digits",
        x=(pixels / 16).astype(np.float32),
        y=y.astype(np.int64),
        n_classes=10,
        description="handwritten digits of 8 x 8 pixels, from scikit-learn",
        train_rows=np.sort(order[DIGITS_TEST_ROWS:]),
        test_rows=np.sort(order[:DIGITS_TEST_ROWS]),
    )


def load_mnist() -> Task:
    """70 000 images of 28 x 28 pixels in [0, 1]: 60 000 to train, then 10 000 to test.

    Information is measured on the test images.
    """
    images, labels = ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")
    pixels = [read_idx(mnist_file(f"{part}-{images}")) for part in ("train", "t10k")]
    classes = [read_idx(mnist_file(f"{part}-{labels}")) for part in ("train", "t10k")]
    x = np.concatenate(pixels).reshape(-1, 28 * 28)
    test_rows = np.arange(60_000, 70_000)
    return Task(
        name="mnist",
        x=x.astype(np.float32) / np.float32(255),
        y=np.concatenate(classes).astype(np.int64),
        n_classes=10,
        description="handwritten digits of 28 x 28 pixels",
        train_rows=np.arange(60_000),
        test_rows=test_rows,
        measured_rows=test_rows,
    )


def mnist_file(name: str) -> Path:
    """Path of one verified MNIST file, downloaded if it is not on this machine.

    The folder ``mnist`` of ``IBCORE_DATA`` comes first, then the one of ``IBCORE_CACHE`` or the
    user's cache, then the mirrors in turn: the next one also where the file that came is not the
    one expected.

    Raises
    ------
    ValueError
        If the file in ``IBCORE_DATA`` is damaged.
    OSError
        If no mirror gives the file.
    """
    import pooch

    expected = MNIST_SHA256[name]
    data = os.environ.get("IBCORE_DATA")
    if data and (given := Path(data) / "mnist" / name).is_file():
        _check(given, expected)
        return given
    folder = Path(os.environ.get("IBCORE_CACHE") or pooch.os_cache("ibcore")) / "mnist"
    reasons = []
    for mirror in MNIST_MIRRORS:
        try:
            # pooch checks a temporary file and then renames it: a broken one never stays.
            found = pooch.retrieve(mirror + name, f"sha256:{expected}", fname=name, path=folder)
        except (OSError, ValueError) as error:
            reasons.append(f"{mirror.split('/')[2]}: {type(error).__name__}")
        else:
            return Path(found)
    raise OSError(
        f"could not get {name} ({'; '.join(reasons)}); "
        f"put the file into {folder}, or into the folder mnist of IBCORE_DATA."
    )


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read a gzipped IDX file of bytes: 0, 0, 8, the number of axes, their lengths, the data.

    Raises
    ------
    ValueError
        If the file does not begin in this way or has another length than it says.
    """
    with gzip.open(path) as file:
        content = file.read()
    n_axes = content[3] if content[:3] == b"\x00\x00\x08" else 0
    start = 4 + 4 * n_axes
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    if n_axes == 0 or len(content) != start + prod(shape):
        raise ValueError(f"{path.name} is not an IDX file of bytes; download it again.")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def _check(path: Path, expected: str) -> None:
    found = sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise ValueError(
            f"{path} is not the file expected: its sha256 begins with {found[:12]}, "
            f"not {expected[:12]}; replace it or remove it from IBCORE_DATA."
        )
