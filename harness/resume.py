"""Taking up a run that was ended: only where it can go on as if nothing had happened."""

import json
from hashlib import file_digest
from pathlib import Path
from shutil import rmtree

from pydantic import ValidationError

from harness.backends import kinds
from harness.environment import package_version, read_environment
from harness.prepare import Resolved, ensemble_record
from harness.record import FORMAT_VERSION, RunRecord
from harness.run_directory import RunDirectory
from harness.scenario import Scenario
from harness.schedule import schedule


class ResumeError(Exception):
    """A run that cannot be taken up again; the message says why and what to do."""


_AGAIN = "run the scenario again from the start"


def reopen(path: Path) -> tuple[RunDirectory, RunRecord]:
    """Read the record of a run.

    Raises:
        ResumeError: there is none, or this program cannot read it.
    """
    directory = RunDirectory(path.resolve())
    file = directory.path / "run.json"
    if not file.is_file():
        if (directory.path / "scenario.toml").is_file():
            raise ResumeError(f"{path} was ended before its first trial; {_AGAIN}")
        raise ResumeError(f"{path} is not a run: it has no run.json; give a directory under runs/")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        version = document.get("format_version", FORMAT_VERSION)
        if version > FORMAT_VERSION:
            raise ResumeError(
                f"{file}: format_version is {version}, this program writes {FORMAT_VERSION}; "
                "resume with the version of servebench that began the run"
            )
        return directory, RunRecord.model_validate(document)
    except (ValueError, AttributeError, TypeError) as error:
        raise ResumeError(
            f"{file} cannot be read ({_first(error)}); it was damaged or edited: {_AGAIN}"
        ) from error


def _first(error: Exception) -> str:
    """An error in one line; of many the first."""
    if not isinstance(error, ValidationError):
        return str(error)
    one = error.errors()[0]
    return f"{'.'.join(map(str, one['loc']))}: {one['msg']}"


def scenario_of(record: RunRecord) -> Scenario:
    """The scenario as it was run: its folders absolute, its SUTs those that were chosen.

    Raises:
        ResumeError: this program means something else by it.
    """
    try:
        return Scenario.model_validate_json(json.dumps(record.scenario))
    except ValidationError as error:
        raise ResumeError(
            f"run {record.run_id}: its scenario is none of this version's ({_first(error)}); "
            f"{_AGAIN}"
        ) from error


def check_unchanged(record: RunRecord, resolved: Resolved, directory: RunDirectory) -> None:
    """See that what is still to be played would be played as it was meant.

    Raises:
        ResumeError: what was measured would not be comparable with what would be; each
            difference is named.
    """
    claim = resolved.cores.claim(resolved.scenario.budget.memory_gib)
    now = read_environment(ensemble_record(resolved), claim).fingerprint
    then = {**record.environment.fingerprint, "servebench": record.version}
    differ = _differences(then, {**now, "servebench": package_version()})
    differ += _differences(record.backends, kinds(resolved.scenario)) if record.backends else []
    differ += _changed_files(record, directory)
    if _places(resolved, record) != record.schedule or resolved.sut_records != record.suts:
        differ.append("its SUTs, or the order of its trials")
    if differ:
        lines = "\n  ".join(differ)
        raise ResumeError(
            f"run {record.run_id} cannot go on: what follows would not be comparable with what "
            f"was measured. Changed since:\n  {lines}\nSet that back, or {_AGAIN}"
        )


def _differences(then: dict[str, str], now: dict[str, str]) -> list[str]:
    return [
        f"{key}: it was {then.get(key, 'not recorded')}, it is {now.get(key, 'not recorded')}"
        for key in sorted(then | now)
        if then.get(key) != now.get(key)
    ]


def _places(resolved: Resolved, record: RunRecord) -> tuple[object, ...]:
    load, search = resolved.scenario.load, resolved.scenario.capacity is not None
    suts, steps = resolved.sut_records, len(record.steps)
    turns = schedule(suts, steps, load.blocks, load.seed, search=search)
    return tuple(place for turn in turns for place in turn.places)


def digests(directory: RunDirectory) -> dict[str, str]:
    """SHA-256 of every file that all trials share, by its path in the run's folder."""
    found = {}
    for path in directory.shared():
        with path.open("rb") as file:
            name = path.relative_to(directory.path).as_posix()
            found[name] = file_digest(file, "sha256").hexdigest()
    return found


def _changed_files(record: RunRecord, directory: RunDirectory) -> list[str]:
    if not record.digests:
        return ["the run was made before runs could be resumed: its files have no digests"]
    now = digests(directory)
    return [
        f"{name}: {'it was changed' if name in now else 'it is gone'}"
        for name, digest in record.digests.items()
        if now.get(name) != digest
    ]


def clear_half_made(directory: RunDirectory) -> None:
    """Remove what was being made when the run ended: trials without a record.

    Probes with one stay: a capacity search goes on from them.
    """
    for folder in (directory.path / "trials").iterdir():
        if not (folder / "trial.json").exists():
            rmtree(folder)
