"""Where the file of an SQLite store lies: whether the place will do, whether it still lies there, and what is wrong when it fails."""

from __future__ import annotations

import os
import pwd
import sqlite3
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from syncd.errors import Busy, Fatal

MOUNTS = Path("/proc/self/mountinfo")
"""proc(5): the mounts that this process sees; on systems without it every place counts as local."""
REMOTE = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs",
    "pvfs2", "smb2", "smb3", "smbfs",
    "fuse.blobfuse", "fuse.blobfuse2", "fuse.ceph", "fuse.ceph-fuse", "fuse.curlftpfs", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs",
    "fuse.goofys", "fuse.juicefs", "fuse.lizardfs", "fuse.mfs", "fuse.moosefs", "fuse.mount-s3", "fuse.rclone", "fuse.s3fs",
    "fuse.seaweedfs", "fuse.smbnetfs", "fuse.sshfs",
})  # fmt: skip
"""Types of file systems that several machines share, or that give no shared memory: what SQLite's write-ahead log needs ("Write-Ahead
Logging", Overview: all processes must be on the same host computer)."""


class Moved(Fatal):
    """The file that was opened does not lie at its place any more; perhaps another does."""


class Place:
    """``name``: the path of the file, "" for a store in memory. ``looking``: nothing will be written; `reading`: nothing can be, and it
    is opened all the same.

    Raises Fatal for a place where SQLite would lose what is written, where the log of a lost store lies, and where none can be made.
    """

    def __init__(self, name: str, *, looking: bool = False) -> None:
        self.path, self._kept, self._file = Path(name), bool(name), (0, 0)
        self.reading = looking and self._kept and self.path.exists() and _barred(self.path) is not None
        if self._kept:
            _admit(self.path)
            _make(self.path)

    def open(self) -> sqlite3.Connection:
        if not self._kept:
            return sqlite3.connect(":memory:", check_same_thread=False)
        self._file = _file(self.path) or (0, 0)
        return look(self.path) if self.reading else sqlite3.connect(_uri(self.path, "rw"), uri=True, check_same_thread=False)

    def check(self) -> None:
        """Raises Moved unless the file there is the one that was opened: what is written to another is written where nobody looks."""
        if self._kept and self.there() != self._file:
            raise Moved(f"the store {self.path} is another file than the one that was opened: nothing more is written to that")

    def there(self) -> tuple[int, int]:
        """What the file there is known by. Raises Moved when there is none."""
        found = _file(self.path)
        if found is None:
            raise Moved(f"the store {self.path} is gone: nothing is read or sent without it\n  put it back, or: syncd store restore FILE")
        return found

    def left(self) -> None:
        """It is closed: whatever lies there is another from now on."""
        self._file = (0, 0)

    def failure(self, error: BaseException | None, verb: str) -> Fatal:
        """What to say of an SQLite error, with the cure. ``verb``: what could not be done with the store."""
        path, code = self.path, _code(error)
        if locked(error):
            return Busy(f"the store {path} is in use: another process keeps it locked; try again later")
        said = f"the store {path} cannot be {verb}: "
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _full(path)):
            return Fatal(f"{said}its disk is full\n  free some space; the next run goes on where this one stopped")
        if code == sqlite3.SQLITE_IOERR:
            return Fatal(f"{said}{error}\n  see to its disk (a fault, a quota); the next run goes on where this one stopped")
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM) and _barred(path) is not None:
            return Fatal(said + _forbidden(path))
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return Fatal(f"{said}{error}\n  put a backup there (syncd store restore FILE), or choose another place with store.url")
        return Fatal(f"{said}{error}\n  choose another place with store.url")


def locked(error: BaseException | None) -> bool:
    """Nothing is wrong with the store: another process is writing to it (SQLite documentation, "Result and Error Codes")."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: BaseException | None) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def look(path: Path, timeout: float = 5.0) -> sqlite3.Connection:
    """Opens an SQLite file to be read only. On a file system that is mounted read-only nobody makes the index of the log, which SQLite
    wants; where no log was left, none is needed (SQLite documentation, "Write-Ahead Logging", section 5)."""
    unlogged = not _beside(path, "-shm").exists() and not _size(_beside(path, "-wal"))
    how = "ro&immutable=1" if unlogged and _mounted_read_only(path) else "ro"
    return sqlite3.connect(_uri(path, how), uri=True, check_same_thread=False, timeout=timeout)


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"


def file_system(path: Path) -> str:
    """The type of the file system that ``path`` lies on, "" where that cannot be told."""
    try:
        device, lines = path.stat().st_dev, MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    kinds = [line.partition(" - ")[2].split(" ")[0] for line in lines if line.split(" ")[2:3] == [wanted]]
    return kinds[-1] if kinds else ""


def _admit(path: Path) -> None:
    kind = file_system(_there(path))
    if kind in REMOTE:
        raise Fatal(
            f"the store {path} lies on a network file system ({kind}), where SQLite loses and damages what is written\n"
            "  choose a place on a disk of this machine with store.url; what is there already: syncd store backup FILE"
        )
    log = _beside(path, "-wal")
    if not path.exists() and _size(log):
        raise Fatal(
            f"there is no store at {path}, but what was last written to one: {log}\n"
            f"  put the store back beside it, or: syncd store restore FILE; to begin with an empty store, move {log.name} away"
        )


def _make(path: Path) -> None:
    """A store holds personal data: only its owner may read it."""
    if path.exists():
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise Fatal(f"the store {path} cannot be made: {error.strerror}\n  choose a writable place with store.url") from None


def _file(path: Path) -> tuple[int, int] | None:
    """What a file is known by, whatever it is called: device and inode."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _forbidden(path: Path) -> str:
    if _mounted_read_only(path):
        return "its file system is mounted read-only\n  mount it for writing, or choose another place with store.url"
    what = _barred(path) or path
    owner, mine = _name(what.stat().st_uid), _name(os.geteuid())
    if owner == mine:
        return f"{what} is read-only\n  make it writable (chmod u+w), or choose another place with store.url"
    return f"{what} belongs to {owner}, and this is {mine}\n  run syncd as {owner}, or choose another place with store.url"


def _barred(path: Path) -> Path | None:
    """The first of a store's files, or its folder, that this process may not write."""
    files = [path, path.parent, _beside(path, "-wal"), _beside(path, "-shm")]
    return next((one for one in files if one.exists() and not os.access(one, os.W_OK)), None)


def _name(user: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(user).pw_name
    return f"user {user}"


def _there(path: Path) -> Path:
    """The nearest place on the way to ``path`` that is there."""
    return next((one for one in (path, *path.parents) if one.exists()), path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _mounted_read_only(path: Path) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _full(path: Path) -> bool:
    return os.statvfs(_there(path)).f_bavail == 0
