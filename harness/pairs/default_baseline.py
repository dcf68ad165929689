"""What a change is compared with, where nobody says: what it began from."""

from pathlib import Path

from harness.pairs.asked import SideError
from harness.pairs.revisions import Checkout, git

_BRANCHES = ("origin/HEAD", "main", "master")


def default_baseline(folder: Path) -> str:
    """The commit that the working tree around ``folder`` began from.

    That is where its branch left the default branch. On the default branch itself it is HEAD where
    tracked files were changed since, and else HEAD's parent.

    Raises:
        SideError: there is none: no checkout, or a first commit.
    """
    top = Checkout.around(folder).top
    head = git(top, "rev-parse", "HEAD").stdout.strip()
    for branch in _BRANCHES:
        base = git(top, "merge-base", "HEAD", branch).stdout.strip()
        if base and base != head:
            return base
    if git(top, "status", "--porcelain", "--untracked-files=no").stdout.strip():
        return head
    parent = git(top, "rev-parse", "--verify", "--quiet", "HEAD~1").stdout.strip()
    if not parent:
        raise SideError(
            f"{top}: HEAD has no parent here, so there is nothing to compare it with; name a "
            "--baseline, or fetch history (actions/checkout: fetch-depth: 0)"
        )
    return parent
