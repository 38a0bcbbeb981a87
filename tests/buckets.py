"""An object store over fsspec's own base classes: uploads are named at their end, no rename."""

from __future__ import annotations

import time
from typing import Any

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem  # type: ignore[import-untyped]


class Bucket(AbstractFileSystem):  # type: ignore[misc]
    """objects: what it holds.   fails: whether the network goes away in the middle of an upload."""

    protocol = "bucket"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.fails = False

    def mv(self, *given: object, **more: object) -> None:
        raise NotImplementedError("an object store has no rename")

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """There are no folders, only names with strokes in them."""

    def ls(self, path: str, detail: bool = True, **more: Any) -> list[Any]:
        path = path.strip("/")
        found = {}
        for name, (content, written) in self.objects.items():
            if name.startswith(f"{path}/"):
                first, _, rest = name[len(path) + 1 :].partition("/")
                kind = "directory" if rest else "file"
                found[first] = {
                    "name": f"{path}/{first}",
                    "type": kind,
                    "size": len(content),
                    "LastModified": written,
                }
        if not found:
            raise FileNotFoundError(path)
        return list(found.values()) if detail else [one["name"] for one in found.values()]

    def rm_file(self, path: str) -> None:
        if self.objects.pop(path.strip("/"), None) is None:
            raise FileNotFoundError(path)

    def cat_file(self, path: str, start: Any = None, end: Any = None, **more: Any) -> bytes:
        if path.strip("/") not in self.objects:
            raise FileNotFoundError(path)
        return self.objects[path.strip("/")][0][start:end]

    def _open(self, path: str, mode: str = "rb", **more: Any) -> _Upload:
        return _Upload(self, path.strip("/"), mode, **{**more, "block_size": 64})


class _Upload(AbstractBufferedFile):  # type: ignore[misc]
    def _initiate_upload(self) -> None:
        self.parts: list[bytes] = []

    def _upload_chunk(self, final: bool = False) -> bool:
        if self.parts and self.fs.fails:
            raise ConnectionResetError("the network went away")
        self.parts.append(self.buffer.getvalue())
        if final and self.autocommit:
            self.commit()
        return True

    def commit(self) -> None:
        self.fs.objects[self.path] = b"".join(self.parts), time.time()

    def discard(self) -> None:
        self.parts = []
