"""What every component and the load generator used, read a few times a second under load.

``accounts`` says whose a process is and keeps its CPU time, ``readings`` is what one trial left,
``watching`` takes the readings in a thread of its own, ``table`` is the form reports read. What is
read more seldom comes from ``harness.switches``, ``harness.storage`` and ``harness.network``;
``docs/usage.md`` tells each figure's source and what it misses.
"""

from harness.usage.accounts import GENERATOR, Target
from harness.usage.readings import Usage
from harness.usage.table import SCHEMA, write_usage
from harness.usage.watching import watch

__all__ = ["GENERATOR", "SCHEMA", "Target", "Usage", "watch", "write_usage"]
