"""Pictures of every page, light and dark, for README and docs: ``python -m tests.pictures [RUN]``.

What is not there to be drawn is named, with what makes it, and left as it was.
"""

import shutil
import sys
from itertools import chain
from pathlib import Path

import click
from playwright.sync_api import sync_playwright

from tests.pictures.live import draw_live
from tests.pictures.pages import draw_pages
from tests.pictures.shots import Missing

OUT = Path("docs/pictures")


@click.command()
@click.argument("run", type=click.Path(path_type=Path), default=Path("runs/latest"))
@click.option("--out", type=click.Path(path_type=Path), default=OUT, show_default=True)
@click.option("--sut", default="ray_serve", show_default=True, help="deployed for the web UI")
@click.option("--no-live", is_flag=True, help="deploy nothing: leave the web UI's pictures alone")
def main(run: Path, out: Path, sut: str, *, no_live: bool) -> None:
    """Draw RUN's report, and the pages of the shelf it lies on: claims, comparison, index."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        print("no picture: needs chromium (apt install chromium)", file=sys.stderr)
        sys.exit(2)
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        for found in chain(
            draw_pages(browser, run.resolve(), out), () if no_live else draw_live(browser, out, sut)
        ):
            if isinstance(found, Missing):
                print(f"not drawn: {found.name}: {found.why}")
            else:
                print(f"{found} ({found.stat().st_size / 1e3:.0f} kB)")
        browser.close()


if __name__ == "__main__":
    main()
