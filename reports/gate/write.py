"""A verdict where people look: a page, Markdown, JUnit XML and JSON, in the gate's folder."""

from pathlib import Path

from harness.durable import write_durably
from reports.gate.junit import junit
from reports.gate.markdown import markdown
from reports.gate.page import write_gate
from reports.gate.verdict import VERDICT_FILE, Verdict

PAGE = "report.html"
MARKDOWN = "verdict.md"
JUNIT = "junit.xml"


def write_verdict(
    directory: Path,
    verdict: Verdict,
    *,
    page: Path | None = None,
    markdown_too: Path | None = None,
    junit_too: Path | None = None,
) -> Path:
    """Write every form of a verdict; returns the page's path.

    Args:
        directory: the gate's folder.
        verdict: what was found.
        page: where the page goes; None is the folder.
        markdown_too: a file that the Markdown is appended to as well: a CI's job summary.
        junit_too: a file that the JUnit XML is written to as well.

    Raises:
        OSError: one of them cannot be written.
    """
    path = (page or directory / PAGE).resolve()
    write_durably(directory / VERDICT_FILE, verdict.model_dump_json(indent=1))
    words, results = markdown(verdict), junit(verdict)
    write_durably(directory / MARKDOWN, words)
    write_durably(directory / JUNIT, results)
    write_gate(path, verdict)
    if markdown_too is not None:
        with markdown_too.open("a", encoding="utf-8") as summary:
            summary.write(words + "\n")
    if junit_too is not None:
        junit_too.parent.mkdir(parents=True, exist_ok=True)
        junit_too.write_text(results, encoding="utf-8")
    return path
