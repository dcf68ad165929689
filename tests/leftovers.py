"""What a run left behind that it should not have."""

from pathlib import Path


def left_of(folder: Path) -> list[str]:
    """Processes of a run: whatever has its folder in its command line or its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if str(folder).encode() in words and state != "Z":
            found.append(f"{process.name} {words[:200]!r}")
    return found
