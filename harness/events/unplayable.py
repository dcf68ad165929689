"""Events that have no time, no addressee or nothing to say."""

from collections.abc import Iterator

from architectures.remote import ARCHITECTURE
from harness.faults.meant import mistake_in
from harness.scenario import Scenario
from harness.surroundings import FAULTY_PARTS, EventSection


def unplayable(scenario: Scenario) -> Iterator[str]:
    """What is wrong with each event, in words: key, value, what to do."""
    for number, event in enumerate(scenario.events):
        key = f"events.{number}"
        said = (
            *_times(event, scenario.load.steady_s),
            *_deeds(event, scenario),
            *_faults(event),
        )
        for found, words in said:
            if found:
                yield f"{key}{words}"


def _times(event: EventSection, steady_s: float) -> Iterator[tuple[bool, str]]:
    after_s = event.after_s(steady_s)
    yield (
        (event.at is None) == (event.at_s is None),
        " needs a time, and one only: at = 0.5 (of the steady state) or at_s = 2",
    )
    yield (
        after_s > steady_s,
        f".at_s = {event.at_s} is beyond load.steady_s = {steady_s:g}; lower it",
    )
    yield (
        event.until is not None and event.until * steady_s <= after_s,
        f".until = {event.until} is not after the event itself; raise it",
    )


def _deeds(event: EventSection, scenario: Scenario) -> Iterator[tuple[bool, str]]:
    stub, part = event.to == "moderation", event.to in FAULTY_PARTS
    ours = part or event.to in ("sut", "harness")
    remote = [sut for sut in scenario.suts if sut.partition(":")[0] == ARCHITECTURE.name]
    yield (
        event.then is not None and event.until is None,
        ".then is never sent without `until`; give it, or leave `then` out",
    )
    yield (
        event.until is not None and event.then is None and not (stub or part),
        f".until sends nothing to {event.to!r} without `then`; give it",
    )
    yield event.to == "sut" and not event.action, " asks the admin API for nothing; name `action`"
    yield (
        event.to == "harness" and event.action != "redeploy",
        f'.action = {event.action!r}: the harness can "redeploy" and nothing else',
    )
    yield (
        stub and scenario.backends.moderation is None,
        " is for our stub of the moderation API; set backends.moderation = {}",
    )
    yield (
        ours and bool(remote),
        f".to = {event.to!r} needs SUTs of ours, and {', '.join(remote)} is none; leave one out",
    )


def _faults(event: EventSection) -> Iterator[tuple[bool, str]]:
    """Of a part of which faults are made."""
    if event.to not in FAULTY_PARTS:
        return
    for key, faults in (("body", event.body), ("then", event.then)):
        mistake = None if faults is None else mistake_in(faults)
        yield mistake is not None, f".{key} {mistake}"
