"""Files of /proc kept open: to read one again costs half of what it does to open it anew."""

import os

MOST = 256
_BYTES = 1 << 16


class KeptOpen:
    """Files read again and again. One of a process that ended is empty, never another's."""

    def __init__(self) -> None:
        self._descriptors: dict[str, int] = {}

    def read(self, path: str) -> bytes:
        """A small file from its start; empty if it is gone.

        Beyond :data:`MOST` of them, each more is opened and closed at every reading.
        """
        descriptor = self._descriptors.get(path)
        try:
            if descriptor is None:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                self._descriptors[path] = descriptor
            return os.pread(descriptor, _BYTES, 0)
        except OSError:
            self.forget(path)
            return b""
        finally:
            if len(self._descriptors) > MOST:
                self.forget(path)

    def forget(self, path: str) -> None:
        """Close a file."""
        descriptor = self._descriptors.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Close all of them."""
        for path in tuple(self._descriptors):
            self.forget(path)
