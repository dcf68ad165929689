"""What `/openapi.json` promises is kept whatever is sent: schemathesis tries, with a fixed seed.

No answer is a 500; every one has a status, a media type, headers and a body that are documented.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from architectures.contract import ADMIN_KEY_HEADER, OPENAPI_PATH

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
DEEP = ("--phases=coverage,fuzzing", "--max-examples=3")
"""Every parameter's corner cases, and some chance: on one architecture, for the door is one."""
SHALLOW = ("--phases=fuzzing", "--max-examples=3")
BY_DEPLOYMENT = {
    "monolith:default": DEEP,
    "microservices:fused_cpu": SHALLOW,
    "ray_serve:tuned": SHALLOW,
}


def test_it_keeps_what_its_schema_promises(sut: Any, tmp_path: Path) -> None:
    reference = f"{sut.architecture.name}:{sut.variant.name}"
    if reference not in BY_DEPLOYMENT or sut.servers:
        return
    tried = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", sut.url + OPENAPI_PATH),
            *BY_DEPLOYMENT[reference],
            *("--generation-deterministic", "--no-shrink", "--no-color"),
            *("--continue-on-failure", "--suppress-health-check=all"),
            *("--header", f"{ADMIN_KEY_HEADER}: {sut.deployment.admin_key}"),
            *("--checks", ",".join(CHECKS)),
        ],
        cwd=tmp_path,  # it leaves a folder
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert tried.returncode == 0, tried.stdout[-8000:] + tried.stderr[-2000:]
    assert " passed" in tried.stdout
