"""Files that are whole or not there: written beside their place, sealed, renamed.

The name of an unfinished file says which process writes it, so that two never share one and what a
killed process left is swept away by the next.
"""

import errno
import hashlib
import os
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

_HOST = "".join(c if c.isalnum() else "-" for c in socket.gethostname()) or "host"
_SEAL = b"\nibcore sha256 "
SEAL_BYTES = len(_SEAL) + 64


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file in one step: at no moment is there a part of it under its name.

    Raises
    ------
    OSError
        That says which file could not be written, with nothing left behind; what was there before
        stays.
    """
    path = Path(path)
    beside = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        handle, beside = tempfile.mkstemp(
            prefix=f".{path.name}.{_HOST}.{os.getpid()}.", suffix=".part", dir=path.parent
        )
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o666 & ~_umask())
        os.replace(beside, path)
    except OSError as error:
        raise _explained(error, path) from error
    finally:
        if beside is not None:
            Path(beside).unlink(missing_ok=True)
    return path


def check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written to, before any work is done.

    Raises
    ------
    OSError
        With the folder's name.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _explained(error, folder) from error


def sweep(folder: Path) -> None:
    """Remove what processes of this machine left unfinished that are no longer there."""
    for path in Path(folder).glob(f".*.{_HOST}.*.part"):
        pid = path.name.split(f".{_HOST}.")[-1].split(".")[0]
        if pid.isdigit() and not _alive(int(pid)):
            with suppress(OSError):  # gone meanwhile, or not ours to remove
                path.unlink()


def seal(content: bytes) -> bytes:
    """The last line of a sealed file: the checksum of all before it."""
    return _SEAL + hashlib.sha256(content).hexdigest().encode()


def unsealed(content: bytes) -> bytes:
    """The content of a sealed file without its last line.

    Raises
    ------
    ValueError
        If the seal is lost or broken.
    """
    inner, last = content[:-SEAL_BYTES], content[-SEAL_BYTES:]
    if not last.startswith(_SEAL):
        raise ValueError("its end, with the checksum, is lost")
    if last != seal(inner):
        raise ValueError("it does not match its checksum")
    return inner


def _explained(error: OSError, path: Path) -> OSError:
    remedy = {
        errno.ENOSPC: "the disk is full; make room and run again, what was finished is kept",
        errno.EDQUOT: "your quota is used up; make room and run again, what was finished is kept",
        errno.EFBIG: "files may not be that large here; raise the limit (ulimit -f) and run again",
        errno.EROFS: "the file system is read-only; name another folder",
        errno.EACCES: "this folder may not be written to; name another one",
        errno.EPERM: "this folder may not be written to; name another one",
        errno.ENOTDIR: "a part of this path is a file, not a folder; name another one",
        errno.EEXIST: "a file of this name is where a folder should be; name another one",
    }.get(error.errno or 0, error.strerror or str(error))
    return OSError(error.errno, f"cannot write {path}: {remedy}")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is there, but another user's
        return True
    return True


def _umask() -> int:
    """The mask of this process, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sealed_archive(content: bytes) -> bytes:
    """A zip archive with its checksum as comment, the place that zip has for a last line."""
    if content[-2:] != b"\0\0":
        raise ValueError("the archive has a comment already.")
    content = content[:-2] + SEAL_BYTES.to_bytes(2, "little")
    return content + seal(content)
