"""The answer in words. Each sentence is a row: it reads the results and says one thing, or nothing.

A word such as *least* is used only where the paired interval bears it out (``reports.ranking``).
"""

from collections import Counter
from collections.abc import Callable, Iterator

from harness.record import Step, TrialRecord
from reports.capacity import Capacity
from reports.metrics import BY_KEY
from reports.ranking import Contender, Question, Sentence, lead, shared_level
from reports.results import Results
from reports.saturation import common_step, open_steps, overload_step, top_step
from reports.wording import TIMES, figure, listed, number, plural


def answer(results: Results) -> list[Sentence]:
    """Every sentence the results bear out, the answer before its cautions."""
    found = [sentence for row in SENTENCES for sentence in row(results)]
    if not any(sentence.kind == "answer" for sentence in found):
        why = "no trial can be trusted" if results.cells else "no capacity was confirmed"
        found.insert(0, Sentence(f"There is no answer yet: {why}."))
    return found


def at(step: Step) -> str:
    """A step in words."""
    if step.concurrency is not None:
        return f"closed loop, {step.concurrency} at once"
    share, _, whole = step.asked.partition(" ")
    if whole not in {"ceiling", "trace"}:
        return step.asked
    return f"{share} {TIMES} {whole} ({number(step.offered_rps)} rps)"


def _rates_held(results: Results) -> Iterator[Sentence]:
    """Up to which step each SUT kept the SLO."""
    suts = [sut.key for sut in results.record.suts if sut.answers]
    steps = open_steps(results)
    offered = (cell for step in steps for cell in results.at(step.index))
    if results.slo is None or not any(cell.trusted for cell in offered):
        return
    groups: dict[Step | None, list[str]] = {}
    for step in (*reversed(steps), None):
        groups[step] = [sut for sut in suts if top_step(results, sut) == step]
    parts = [
        f"{listed(names)} held {'up to ' + at(step) if step else 'no rate in every trusted block'}"
        for step, names in groups.items()
        if names
    ]
    yield Sentence(f"On this machine, with {results.slo.words}, {'; '.join(parts)}.")


def _fastest(results: Results) -> Iterator[Sentence]:
    """Which SUT answers most when more is offered than any can take."""
    step = overload_step(results)
    if step is not None:
        yield from _best(results, step, "throughput_rps", "reached the highest throughput")


def _cheapest(results: Results) -> Iterator[Sentence]:
    """Which SUT spends the least CPU on a request."""
    step = common_step(results)
    if step is not None:
        yield from _best(results, step, "cpu_ms", "spent the least CPU on a request")


def _quickest(results: Results) -> Iterator[Sentence]:
    """Which SUT answers soonest: at p95, or at the median where p95 is not carried."""
    step = common_step(results)
    if step is None:
        return
    carried = [c.estimates["response_p95_ms"].point is not None for c in results.at(step.index)]
    percent = "p95" if all(carried) else "p50"
    words = f"had the lowest {percent} response time"
    yield from _best(results, step, f"response_{percent}_ms", words)


def _best(results: Results, step: Step, key: str, verb: str) -> Iterator[Sentence]:
    metric = BY_KEY[key]
    cells = results.at(step.index)
    known = sum(cell.estimates[key].point is not None for cell in cells)
    level = shared_level(known, _questions(results))
    asked = Question(f"At {at(step)}", metric.name, metric.unit, metric.better, verb, level)
    yield from lead(asked, [Contender(c.sut.key, c.estimates[key], c.by_block(key)) for c in cells])


def _questions(results: Results) -> int:
    return len(_COMPARING) + bool(results.capacities)


def _capacities(results: Results) -> Iterator[Sentence]:
    """Which SUT keeps the SLO at the highest rate."""
    known = [c for c in results.capacities if c.sut.answers and c.rps.point is not None]
    level = shared_level(len(known), _questions(results))
    where = f"With {results.slo.words}," if results.slo else "By the objective set,"
    verb = "has the highest capacity"
    asked = Question(where, "Capacity", "rps", "higher", verb, level)
    yield from lead(asked, [Contender(c.sut.key, c.rps, c.by_block()) for c in known])
    for capacity in results.capacities:
        if capacity.rps.point is None:
            why = capacity.rps.note
            yield Sentence(f"No capacity of {capacity.sut.key} was confirmed: {why}.", "caution")
        if any(block.record.cliff for block in capacity.blocks):
            yield Sentence(
                f"Right above its capacity {capacity.sut.key} collapses: it gave fewer good "
                "answers there than below."
            )


def _carried(results: Results) -> Iterator[Sentence]:
    """What each SUT carries and what that costs, best first: the answer, if one has time for one.

    It ranks nobody: by how much SUTs differ, and whether that can be told, is the next sentence's.
    """
    known = [c for c in results.capacities if c.sut.answers and c.rps.point is not None]
    if not known:
        return
    known.sort(key=lambda found: found.rps.point or 0.0, reverse=True)
    objective = f"with {results.slo.words}" if results.slo else "by the objective set"
    carried = listed([f"{c.sut.key} carries {figure(c.rps, 'rps')}{_price_of(c)}" for c in known])
    yield Sentence(f"On this machine, {objective}, {carried}.{_price_source(results, known)}")


_COST = "usd_per_million_reserved"


def _price_of(found: Capacity) -> str:
    cost = found.estimates[_COST]
    return "" if cost.point is None else f" for {figure(cost, 'USD')} a million good answers"


def _price_source(results: Results, known: list[Capacity]) -> str:
    if results.prices is None or all(found.estimates[_COST].point is None for found in known):
        return ""
    price = results.prices.chosen
    return (
        f" Money is for what is reserved, at {price.cloud}'s list price for {price.product} in "
        f"{price.region} of {price.as_of}."
    )


def _left_out(results: Results) -> Iterator[Sentence]:
    """How many trials no figure rests on."""
    left_out, recorded = results.left_out(), len(results.run.trials)
    if left_out:
        were = "was" if len(left_out) == 1 else "were"
        yield Sentence(
            f"{len(left_out)} of {plural(recorded, 'trial')} {were} not trusted and left out of "
            f"every figure ({_why(left_out)}); the validity table says what to do.",
            "caution",
        )


def _why(trials: list[TrialRecord]) -> str:
    """Reasons with how many trials bear each, the commonest first."""
    codes = Counter(reason.code for trial in trials for reason in trial.reasons)
    codes["failed"] = sum(trial.outcome == "failed" for trial in trials)
    return ", ".join(f"{code} {count}" for code, count in codes.most_common() if count)


def _unfinished(results: Results) -> Iterator[Sentence]:
    """That the run did not reach its end."""
    recorded = len(results.run.trials)
    meant = sum(place.probe is None for place in results.record.schedule)
    if results.record.status != "complete" or recorded < meant:
        yield Sentence(
            f"This run is unfinished ({results.record.status}): {recorded} of "
            f"{plural(meant, 'planned trial')} ended.",
            "caution",
        )


def _meaningless(results: Results) -> Iterator[Sentence]:
    """That the models were never trained."""
    if not results.record.ensemble.meaningful:
        yield Sentence(
            "The models' weights are seeded, not trained: the answers carry no meaning. "
            "Timings and resources are those of models of this shape.",
            "caution",
        )


def _closed_loop(results: Results) -> Iterator[Sentence]:
    """That a closed loop's response times are of another kind."""
    if any(step.concurrency is not None for step in results.record.steps):
        yield Sentence(
            "Closed-loop steps offer no rate: a client waits for its answer before it asks again, "
            "so a slow SUT is asked less. Their response times must not be compared with those of "
            "open-loop steps.",
            "caution",
        )


def _wrong_answers(results: Results) -> Iterator[Sentence]:
    """That answers differed from the reference."""
    trials = (*results.run.trials, *results.run.probes)
    checks = [trial.verification for trial in trials if trial.verification is not None]
    different = sum(check.before_different + check.under_load_different for check in checks)
    if different:
        checked = sum(check.before + check.under_load for check in checks)
        yield Sentence(
            f"{different} of {plural(checked, 'checked answer')} differed from the reference.",
            "caution",
        )


Row = Callable[[Results], Iterator[Sentence]]
_COMPARING: tuple[Row, ...] = (_fastest, _cheapest, _quickest)
SENTENCES: tuple[Row, ...] = (
    _carried,
    _capacities,
    _rates_held,
    *_COMPARING,
    _closed_loop,
    _left_out,
    _unfinished,
    _wrong_answers,
    _meaningless,
)
