"""Planes in files: rounded, checked, all or nothing."""

import hashlib
import json
import os
import threading
from pathlib import Path

import numpy as np
import xarray as xr

from ibcore.plane.schema import CHECKSUM, INFORMATION_STEP, check, plain

_SEAL = b"\nibcore plane, sha256 "
_NOT_A_NUMBER = -(2**31)  # NaN in the scaled integers of a file


class DamagedPlaneError(ValueError):
    """A file that does not hold what was written to it."""


def as_stored(plane: xr.Dataset) -> xr.Dataset:
    """``plane`` as it comes back from a file: information in steps of 2e-4 bit, else float32."""
    check(plane)
    stored = plane.copy()
    for name, variable in plane.variables.items():
        values = variable.values
        if name in ("estimator", "measures"):
            values = values.astype(np.str_)
        elif name in plane.coords:
            values = values.astype(np.int64)
        elif variable.attrs.get("units") == "bits":
            # Adding 0.0 turns -0.0 into 0.0, as the integers of the file do.
            values = np.round(values.astype(np.float64) / INFORMATION_STEP) * INFORMATION_STEP + 0.0
        else:
            values = values.astype(np.float32)
        stored[name] = (variable.dims, values, variable.attrs)
    for name in stored.variables:
        stored[name].encoding = {}
    stored.attrs = {name: plain(value) for name, value in plane.attrs.items()}
    stored.attrs[CHECKSUM] = _content_sha256(stored)
    return stored


def save(plane: xr.Dataset, path: str | os.PathLike) -> Path:
    """Check ``plane`` and write it to ``path``, all or nothing.

    The file is written beside ``path``, read back and compared, and only then given its name.
    """
    path = Path(path)
    stored = as_stored(plane)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        stored.to_netcdf(beside, engine="h5netcdf", encoding=_encoding(stored))
        content = beside.read_bytes()
        beside.write_bytes(content + _seal(content))
        load(beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def load(path: str | os.PathLike) -> xr.Dataset:
    """Plane from a file, whole in memory.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DamagedPlaneError
        A ValueError: the file is cut short or edited, or does not follow the schema.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no information plane at {path}; compute it first.")
    # Before HDF5 sees it: one wrong bit can make the reader loop for ever.
    content, seal = _split(path.read_bytes())
    if seal != _seal(content):
        reason = "it does not match its checksum" if seal else "its end, with the checksum, is lost"
        raise DamagedPlaneError(_damage(path, reason))
    try:
        with xr.open_dataset(path, engine="h5netcdf") as file:
            plane = file.load()
        for name in ("estimator", "measures"):
            plane[name] = plane[name].astype(np.str_)
        for name in plane.variables:
            plane[name].encoding = {}
        plane.encoding = {}
        plane.attrs = {name: plain(value) for name, value in plane.attrs.items()}
        written, found = plane.attrs.get(CHECKSUM), _content_sha256(plane)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise DamagedPlaneError(_damage(path, f"cannot be read, {error}")) from error
    if written != found:
        raise DamagedPlaneError(_damage(path, "its values do not match their checksum"))
    try:
        check(plane)
    except ValueError as error:
        raise DamagedPlaneError(_damage(path, str(error).rstrip("."))) from error
    return plane


def _seal(content: bytes) -> bytes:
    """Last line of a file: the checksum of all before it. HDF5 ignores what follows its end."""
    return _SEAL + hashlib.sha256(content).hexdigest().encode()


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Content and seal of a file; an empty seal if there is none at its end."""
    place = len(content) - len(_seal(b""))
    seal = content[max(place, 0) :]
    return (content[:place], seal) if seal.startswith(_SEAL) else (content, b"")


def _damage(path: Path, reason: str) -> str:
    return (
        f"the stored plane {path} is damaged or was edited: {reason}. "
        "Delete the file and compute it again (recompute=True), or restore it."
    )


def _encoding(plane: xr.Dataset) -> dict[str, dict]:
    encoding = {}
    for name, variable in plane.data_vars.items():
        encoding[name] = {"zlib": True, "complevel": 9, "shuffle": True}
        if variable.size <= 2**20:  # in one piece: these arrays are small and read whole
            encoding[name]["chunksizes"] = variable.shape
        if variable.attrs.get("units") == "bits":
            scaled = {"scale_factor": INFORMATION_STEP, "_FillValue": _NOT_A_NUMBER}
            encoding[name] |= {"dtype": "int32", **scaled}
            if np.nanmax(np.abs(variable.values), initial=0) / INFORMATION_STEP >= 2**31 - 1:
                raise ValueError(f"{name} has values beyond 4e5 bits, too large for a file.")
    return encoding


def _content_sha256(plane: xr.Dataset) -> str:
    """Hash of all coords, values and attributes, the hash itself excepted."""
    digest = hashlib.sha256()
    for name in sorted(map(str, plane.variables)):
        variable = plane.variables[name]
        digest.update(json.dumps([name, variable.dims, variable.shape, variable.attrs]).encode())
        if variable.dtype.kind == "f":
            # The NaN of a file may have other bits than ours.
            values = np.where(np.isnan(variable.values), np.nan, variable.values)
            digest.update(values.astype(variable.dtype.newbyteorder("<")).tobytes())
        else:
            digest.update(json.dumps(variable.values.tolist()).encode())
    attrs = {name: value for name, value in plane.attrs.items() if name != CHECKSUM}
    digest.update(json.dumps(attrs, sort_keys=True).encode())
    return digest.hexdigest()
