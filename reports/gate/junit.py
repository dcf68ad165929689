"""A verdict as JUnit XML, which CI systems show without being taught.

JUnit's XML has no standard. What is written here is what two schemas in wide use both take, that
of Ant's JUnitReport task and that of Jenkins' xUnit plugin: properties of the suite only, and its
output last.
"""

import re
from xml.etree import ElementTree as ET

from reports.gate import phrases
from reports.gate.verdict import Row, Verdict

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold."""


def junit(verdict: Verdict) -> str:
    """One suite a gate, one case a metric.

    A regression fails, an inconclusive metric fails or is skipped as the gate was told, an
    informational one is skipped; of an unfit gate every gating metric is an error.
    """
    name = text(verdict.name) or "gate"
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", {"name": f"servebench {verdict.kind}: {name}"})
    _properties(suite, verdict)
    cases = [_case(suite, verdict, row, name) for row in phrases.in_order(verdict)]
    if verdict.outcome == "unfit" and "error" not in cases:
        cases.append(_unfit(suite, verdict, name))
    said = (verdict.words, *verdict.unfit, *verdict.notes, phrases.ending(verdict))
    ET.SubElement(suite, "system-out").text = text("\n".join(said))
    ET.SubElement(suite, "system-err")
    counts = {"tests": len(cases), "failures": cases.count("failure"),
              "errors": cases.count("error"), "skipped": cases.count("skipped")}  # fmt: skip
    for key, count in counts.items():
        suite.set(key, str(count))
    for key, value in {
        "time": f"{verdict.wall_s:.3f}",
        "timestamp": verdict.created_utc[:19],
        "hostname": "localhost",
        "id": "0",
        "package": "servebench",
    }.items():
        suite.set(key, value)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def text(value: str) -> str:
    """Text that XML can hold."""
    return _NOT_XML.sub(" ", value)


def _case(suite: ET.Element, verdict: Verdict, row: Row, name: str) -> str:
    case = _named(suite, row.name, name)
    word = _word(verdict, row)
    if not word:
        return ""
    if word == "error":
        kind, message = "unfit", "; ".join(verdict.unfit) or verdict.words
    elif not row.gating:
        kind, message = "informational", phrases.sentence(row)
    else:
        kind, message = row.word, f"{row.word}: {row.says}"
    found = ET.SubElement(case, word, {"type": kind, "message": text(message)})
    found.text = text(_lines(row))
    return word


def _word(verdict: Verdict, row: Row) -> str:
    if not row.gating:
        return "skipped"
    if verdict.outcome == "unfit":
        return "error"
    if row.word == "pass":
        return ""
    # An inconclusive gate has no regressions: without fresh deployments a metric's is not believed.
    called = row.word == "regression" and verdict.outcome == "regression"
    return "failure" if called or verdict.inconclusive == "fail" else "skipped"


def _unfit(suite: ET.Element, verdict: Verdict, name: str) -> str:
    case = _named(suite, "The comparison", name)
    message = text("; ".join(verdict.unfit) or verdict.words)
    ET.SubElement(case, "error", {"type": "unfit", "message": message}).text = text(verdict.words)
    return "error"


def _named(suite: ET.Element, case: str, name: str) -> ET.Element:
    attributes = {"name": text(case), "classname": f"servebench.gate.{name}", "time": "0"}
    return ET.SubElement(suite, "testcase", attributes)


def _lines(row: Row) -> str:
    return (
        f"{row.name}: {phrases.sides(row)}, worse by {phrases.worse_by(row, row.estimate)} "
        f"({phrases.bounds(row) or 'no bounds'}), margin {phrases.margin(row)}, could have seen "
        f"{phrases.worse_by(row, row.detectable)}, {row.n} pairs.\n{phrases.sentence(row)}"
    )


def _properties(suite: ET.Element, verdict: Verdict) -> None:
    baseline, candidate = verdict.sides
    looks = (f"{look.pairs} pairs: {look.outcome}" for look in verdict.looks)
    found = {
        "gate_id": verdict.gate_id,
        "outcome": verdict.outcome,
        "exit_code": str(verdict.exit_code),
        "inconclusive": verdict.inconclusive,
        "baseline": f"{baseline.label} ({baseline.sut})",
        "candidate": f"{candidate.label} ({candidate.sut})",
        "pairs": phrases.played(verdict),
        "looks": "; ".join(looks) or "none",
        "nominal": f"{verdict.nominal:.3g}",
        "rate": phrases.rate(verdict),
        "machine": phrases.record(verdict),
    }
    properties = ET.SubElement(suite, "properties")
    for key, value in found.items():
        ET.SubElement(properties, "property", {"name": key, "value": text(value)})
