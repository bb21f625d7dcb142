"""The information plane: an ``xarray.Dataset`` with a written schema, checked and stored.

    dims       estimator, seed, epoch, layer   (always in this order; layer counts 1 … L)
    coords     update (epoch)      optimiser steps done
               width (layer)       units of the layer
               measures (estimator)  what i_xt is, for axis labels: "I(X; bin(T))"
    variables  i_xt, i_ty (estimator, seed, epoch, layer) in bits
               loss, train_accuracy, test_accuracy (seed, epoch); loss in nats
               observables, with any of the dims (seed, epoch, layer)
    attrs      where it comes from: ``REQUIRED_ATTRS``

A NaN says "not measured". An infinite value is refused.

In a file (NetCDF, the classic format) information is rounded to ``INFORMATION_STEP`` bits and all
else to float32; ``as_stored`` does the same in memory, so that fresh and loaded planes give the
same verdicts. A file ends in a checksum of its bytes and holds one of its values (attr
``content_sha256``): what does not match is refused, with the name of the file. Several planes
together are a pack, a zip archive of such files.
"""

from ibcore.plane.ask import merge_estimators, merge_seeds, merged_attrs, select, summarise
from ibcore.plane.files import DamagedPlaneError, as_stored, load, load_pack, save, save_pack
from ibcore.plane.schema import (
    CHECKSUM,
    DIMS,
    INFORMATION_STEP,
    REQUIRED_ATTRS,
    SCHEMA_VERSION,
    check,
    new_plane,
)

__all__ = [
    "CHECKSUM",
    "DIMS",
    "INFORMATION_STEP",
    "REQUIRED_ATTRS",
    "SCHEMA_VERSION",
    "DamagedPlaneError",
    "as_stored",
    "check",
    "load",
    "load_pack",
    "merge_estimators",
    "merge_seeds",
    "merged_attrs",
    "new_plane",
    "save",
    "save_pack",
    "select",
    "summarise",
]
