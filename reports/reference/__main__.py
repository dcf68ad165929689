"""``python -m reports.reference``: write the generated parts of the documents anew."""

import sys
from pathlib import Path

import click

from reports.reference.parts import NoSuchPart, write

_DOCUMENTS = Path(__file__).parents[2] / "docs"
_FAILED = 2


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True), default=_DOCUMENTS)
def main(folder: Path) -> None:
    """Write the generated parts of the documents under FOLDER; docs/ of this checkout if absent."""
    try:
        changed = write(folder)
    except NoSuchPart as error:
        print(f"reference: {error}", file=sys.stderr)
        sys.exit(_FAILED)
    for path in changed:
        print(f"written: {path}")
    if not changed:
        print("every generated part is as the code has it")


if __name__ == "__main__":
    main()
