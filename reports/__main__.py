"""``python -m reports RUN``: make a run's page and summary, without load."""

import sys
from pathlib import Path

import click

from reports.frames import NotARun, open_run
from reports.page import write_page
from reports.results import measure_run
from reports.summary import write_summary


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Where the page goes; RUN/report.html")
def main(run: Path, out: Path | None) -> None:
    """Make the page of RUN, a directory under runs/, and summary.json beside it."""
    try:
        page = report(run, out)
    except (NotARun, OSError) as error:
        print(f"reports: {error}", file=sys.stderr)
        sys.exit(2)
    print(page)


def report(run: Path, out: Path | None = None) -> Path:
    """Read, measure, write; returns the page's path.

    Raises:
        NotARun: the directory cannot be read as a run.
        OSError: the page cannot be written.
    """
    directory = run.resolve()
    page = (out or directory / "report.html").resolve()
    results = measure_run(open_run(directory))
    write_page(page, results)
    write_summary(page.with_name("summary.json"), results)
    return page


if __name__ == "__main__":
    main()
