"""One trial, read and measured against what its run sets."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.record import TrialRecord
from reports.ceiling import block_ceiling
from reports.cost import Spending, reserved
from reports.damaged import in_words
from reports.estimate import Value
from reports.frames import Run, read_trial
from reports.metrics import measure
from reports.patterns.facts import NO_FACTS, PatternFacts, pattern_facts
from reports.pictures import Picture, picture
from reports.prices import PriceSheet
from reports.slo import Slo
from reports.subject import Subject


@dataclass(frozen=True, slots=True, eq=False)
class TrialResult:
    """One trial as measured, trusted or not; no values where load was not played to its end."""

    record: TrialRecord
    values: Mapping[str, Value]
    picture: Picture | None
    spending: Spending | None
    patterns: PatternFacts = NO_FACTS


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What every trial of a run is judged against."""

    run: Run
    slo: Slo | None
    prices: PriceSheet | None

    def measured(self, record: TrialRecord) -> TrialResult:
        """Read and measure one trial.

        Raises:
            NotARun: what it recorded is damaged.
        """
        whole, place = self.run.record, record.place
        with in_words(self.run.directory / "trials" / place.directory):
            frames = read_trial(self.run, record)
            if frames is None:
                return TrialResult(record, {}, None, None)
            facts = pattern_facts(self.run, frames)
        subject = Subject(
            frames,
            self.slo.response_time_s if self.slo else None,
            block_ceiling(whole, place.block, whole.best_batch),
            reserved(whole, place.sut),
            self.prices.chosen if self.prices else None,
        )
        return TrialResult(record, measure(subject), picture(subject), subject.spending, facts)
