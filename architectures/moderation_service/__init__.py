"""A stand-in for somebody else's moderation API: its slowness and failures are scripted.

``python -m architectures.moderation_service --port 0 --script '{"latency": {"mean_s": 0.02}}'``
prints ``ready http://127.0.0.1:PORT`` once it answers. It listens on loopback only.

- ``POST /v1/moderate``: an image to ``{"verdict": "approved"}`` or ``"rejected"``, by its hash.
- ``POST /control``: a script, or part of one, in force from then on; answers the whole script.
- ``GET /control``: the script in force and what became of the requests so far.
- ``GET /readyz``: 200.
"""
