# ruff: noqa: INP001 (a folder that Python is told to run, not a package)
"""Write a verdict under its pull request: one comment, changed in place.

It is found again by a marker that nobody sees and by who wrote it. A token that may not write, as
on pull requests from forks, is no error: the verdict stands in the job summary too.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

A_PAGE = 100
LONGEST = 60_000
"""GitHub takes 65,536 characters."""


def ask(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """One question to GitHub; ``path`` begins after the repository."""
    request = urllib.request.Request(  # noqa: S310 (the runner names its own API)
        f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (likewise)
        return json.load(answer)


def comments(pull: int) -> Iterator[dict[str, Any]]:
    """All there are under a pull request, oldest first."""
    page = 1
    while True:
        found = ask("GET", f"issues/{pull}/comments?per_page={A_PAGE}&page={page}")
        yield from found
        if len(found) < A_PAGE:
            return
        page += 1


def comment(marker: str, text: str, pull: int) -> str:
    """Write it, over our last one if there is one; returns its address."""
    author = os.environ["GATE_COMMENT_AUTHOR"]
    for old in comments(pull):
        if old["user"]["login"] == author and old["body"].startswith(marker):
            return str(ask("PATCH", f"issues/comments/{old['id']}", {"body": text})["html_url"])
    return str(ask("POST", f"issues/{pull}/comments", {"body": text})["html_url"])


def text_of(marker: str) -> str:
    """The comment: marker, verdict, where the page is."""
    verdict = Path(os.environ["GATE_MARKDOWN"]).read_text(encoding="utf-8")
    if len(verdict) > LONGEST:
        verdict = verdict[:LONGEST] + "\n\n(cut short: the job summary has all of it)"
    page = os.environ.get("GATE_PAGE")
    link = f"\n\n[The page with every pair, verdict.json and JUnit]({page})" if page else ""
    return f"{marker}\n{verdict.removeprefix(marker).strip()}{link}\n"


def main() -> None:
    """Comment where there is a pull request; say so where it cannot be done, and go on."""
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    if "pull_request" not in event:
        print("no pull request to comment on")
        return
    marker = f"<!-- servebench-gate: {os.environ['GATE_NAME']} -->"
    try:
        print(comment(marker, text_of(marker), event["pull_request"]["number"]))
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"::notice title=Performance gate::no comment ({error}); see the job summary")


if __name__ == "__main__":
    main()
