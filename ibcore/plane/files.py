"""Planes in files: rounded, checked, sealed, all or nothing.

One plane is a NetCDF file of the classic format, which every tool reads, with a line at its end
that holds its checksum. A pack is a zip archive of several. Both are made in memory and written in
one step: a full disk or a killed process leaves what was there before.
"""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ibcore.files import seal, sealed_archive, unsealed, write_whole
from ibcore.plane.schema import CHECKSUM, INFORMATION_STEP, check, plain

_NOT_A_NUMBER = -(2**31)  # NaN in the scaled integers of a file
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of all members of a pack: equal planes make equal packs


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
    return _sealed(stored)


def to_bytes(plane: xr.Dataset) -> bytes:
    """The content of a file with this plane."""
    stored = as_stored(plane)
    content = bytes(stored.to_netcdf(None, engine="scipy", encoding=_encoding(stored)))
    content += seal(content)
    if from_bytes(content, "the plane just written").attrs[CHECKSUM] != stored.attrs[CHECKSUM]:
        raise ValueError("this plane does not come back from a file as it went in.")
    return content


def from_bytes(content: bytes, where: str | Path) -> xr.Dataset:
    """The plane of a file, checked; ``where`` names it in errors.

    Raises
    ------
    DamagedPlaneError
        A ValueError: the file is cut short or edited, or does not follow the schema.
    """
    try:
        # Before a reader sees it: a wrong bit may mean anything to it.
        inner = unsealed(content)
        with xr.open_dataset(io.BytesIO(inner), engine="scipy", decode_times=False) as file:
            plane = _decoded(file.load())
        if plane.attrs.get(CHECKSUM) != _content_sha256(plane):
            raise ValueError("its values do not match their checksum")
        check(plane)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DamagedPlaneError(_damage(where, str(error).rstrip("."))) from error
    return plane


def save(plane: xr.Dataset, path: str | os.PathLike[str]) -> Path:
    """Check ``plane`` and write it to ``path``, all or nothing.

    Raises
    ------
    ValueError
        If the plane leaves the schema.
    OSError
        If the file cannot be written; what was there before stays.
    """
    return write_whole(Path(path), to_bytes(plane))


def load(path: str | os.PathLike[str]) -> xr.Dataset:
    """Plane from a file, whole in memory.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DamagedPlaneError
        A ValueError: the file is damaged, or holds no plane.
    """
    path = Path(path)
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder, not the file of a plane.")
    if not path.is_file():
        raise FileNotFoundError(f"no information plane at {path}; compute it first.")
    if path.suffix == ".zip":
        members = load_pack(path)
        if len(members) != 1:
            raise ValueError(
                f"{path} holds {len(members)} planes; take one of plane.load_pack(path), by digest."
            )
        return next(iter(members.values()))
    return from_bytes(path.read_bytes(), path)


def save_pack(planes: Mapping[str, xr.Dataset], path: str | os.PathLike[str]) -> Path:
    """Write several planes, by digest, to one archive, all or nothing."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_LZMA) as file:
        for digest in sorted(planes):
            member = zipfile.ZipInfo(f"{digest}.nc", _EPOCH)
            member.compress_type = zipfile.ZIP_LZMA
            file.writestr(member, to_bytes(planes[digest]))
    return write_whole(Path(path), sealed_archive(archive.getvalue()))


def load_pack(path: str | os.PathLike[str]) -> dict[str, xr.Dataset]:
    """The planes of an archive, by digest.

    Raises
    ------
    DamagedPlaneError
        A ValueError: the archive, or a plane in it, is damaged.
    """
    return {
        digest: from_bytes(content, f"{digest}.nc in {path}")
        for digest, content in read_pack(Path(path)).items()
    }


def read_pack(path: Path) -> dict[str, bytes]:
    """The files in an archive, by digest; their content is not looked at.

    Raises
    ------
    DamagedPlaneError
        A ValueError: the archive is not what was written.
    """
    try:
        content = path.read_bytes()
        unsealed(content)
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return {Path(name).stem: file.read(name) for name in file.namelist()}
    except (ValueError, zipfile.BadZipFile, NotImplementedError, OSError, EOFError) as error:
        raise DamagedPlaneError(_damage(path, str(error).rstrip("."))) from error


def _sealed(stored: xr.Dataset) -> xr.Dataset:
    for name in stored.variables:
        stored[name].encoding = {}
    stored.encoding = {}
    stored.attrs = {name: plain(value) for name, value in stored.attrs.items()}
    stored.attrs[CHECKSUM] = _content_sha256(stored)
    return stored


def _decoded(plane: xr.Dataset) -> xr.Dataset:
    """What the classic format has no room for: text of any length, long integers."""
    for name, variable in plane.variables.items():
        values = variable.values
        if name in ("estimator", "measures"):
            values = values.astype(np.str_)
        elif name in plane.coords:
            values = values.astype(np.int64)
        else:
            values = values.astype(values.dtype.newbyteorder("="))
        plane[name] = (variable.dims, values, variable.attrs)
        plane[name].encoding = {}
    plane.encoding = {}
    plane.attrs = {name: plain(value) for name, value in plane.attrs.items()}
    return plane


def _damage(path: str | Path, reason: str) -> str:
    return (
        f"the stored plane {path} is damaged or was edited, or is no plane of this version: "
        f"{reason}. Restore it, or delete it and compute it again (recompute=True)."
    )


def _encoding(plane: xr.Dataset) -> dict[str, dict[str, Any]]:
    encoding: dict[str, dict[str, Any]] = {}
    for name in ("seed", "epoch", "layer", "update", "width"):
        encoding[name] = {"dtype": "int32"}
        if np.abs(plane[name].values).max(initial=0) >= 2**31:
            raise ValueError(f"{name} has values beyond 2e9, too large for a file.")
    for held, variable in plane.data_vars.items():
        if variable.attrs.get("units") == "bits":
            scaled = {"scale_factor": INFORMATION_STEP, "_FillValue": np.int32(_NOT_A_NUMBER)}
            encoding[str(held)] = {"dtype": "int32", **scaled}
            if np.nanmax(np.abs(variable.values), initial=0) / INFORMATION_STEP >= 2**31 - 1:
                raise ValueError(f"{held} has values beyond 4e5 bits, too large for a file.")
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
