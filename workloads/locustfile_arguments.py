"""The locustfile's options: what it plays, where it listens, and the web UI's form."""

import argparse
from functools import partial
from typing import Any

from locust.argument_parser import LocustArgumentParser

from workloads.locustfile_part import MOST_IN_FLIGHT
from workloads.web_form import DRAWN

FIELDS = {
    "rate": "requests a second, of all load workers together",
    "arrivals": "how requests follow one another",
    "graph": "what is asked for",
    "mix": "payloads by weight of a label; empty sends all alike",
    "warm_up": "seconds of load before those that count",
    "duration": "seconds of load that count",
    "seed": "the same one asks the same again",
    "max_in_flight": "of each load worker; a request beyond it is dropped",
}
"""Options that somebody may change in the web UI, and what it says of each; none of the others."""


def _in_flight(text: str) -> int:
    value = int(text)
    if not 1 <= value < MOST_IN_FLIGHT:
        raise argparse.ArgumentTypeError(
            f"{value} is outside 1 to {MOST_IN_FLIGHT - 1}: each needs a socket, and a process's "
            "usual limit is 1024; use more workers (--processes)"
        )
    return value


def add_arguments(parser: LocustArgumentParser, **_: Any) -> None:
    """Ours beside Locust's; nothing listens beyond loopback unless asked to.

    Values stay text and numbers, since a master sends them to its workers as msgpack.
    """
    parser.set_defaults(web_host="127.0.0.1", master_bind_host="127.0.0.1")
    _add_hidden(parser)
    add = parser.add_argument
    add("--rate", type=float, default=10.0, help="without --plan: arrivals/s of all workers")
    add("--arrivals", choices=DRAWN, default="poisson", help="without --plan")
    add("--graph", default="tag", help="without --plan: the graph to ask for")
    add("--mix", default="", help="payloads by weight of a label: cat=3, dog=1; empty: all alike")
    add("--warm-up", type=float, default=0.0, help="without --plan: seconds of load not counted")
    add("--duration", type=float, default=60.0, help="without --plan: seconds of load")
    add("--seed", type=int, default=1, help="without --plan: of arrivals and payload order")
    add("--max-in-flight", type=_in_flight, default=500, help="an arrival beyond it is dropped")


def _add_hidden(parser: LocustArgumentParser) -> None:
    hidden = partial(parser.add_argument, include_in_web_ui=False)
    hidden("--payloads", help="payloads.parquet: what to send (required)")
    hidden("--plan", help="a frozen load plan; else one is drawn as below")
    hidden(
        "--out",
        help="folder for samples-<worker>.parquet, generator-<worker>.json; with the "
        "web UI they lie in a folder of each attempt, its plan beside them",
    )
    hidden("--answer-every", type=int, default=0, help="keep every k-th answer; 0 keeps none")
    hidden("--timeout-s", type=float, default=12.0, help="patience with one answer")
    hidden("--drain-s", type=float, default=12.0, help="wait at the end for what is in flight")
    hidden("--path", default="", help="asked for in place of the graphs' own paths")
    hidden("--graphs", default="", help="the web UI's choice of graphs: a,b,c; empty allows any")
    hidden("--panels", help="a file of tables that the web UI shows beside Locust's own")
    hidden("--web-password-file", help="what a browser must know; required beyond loopback")
    hidden("--slo-s", type=float, help=argparse.SUPPRESS)
    hidden("--control-fd", type=int, help=argparse.SUPPRESS)
    hidden("--remote-workers", type=int, default=0, help=argparse.SUPPRESS)
    hidden("--lent", help=argparse.SUPPRESS)
    hidden("--only", help=argparse.SUPPRESS)
