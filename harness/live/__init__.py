"""A web session: one SUT, Locust's web UI over it, and a run directory of what was played there.

``session`` is the whole of it. ``asked`` is what it is asked for, as the scenario that its run
records; ``ready`` makes what attempts share; ``listen`` says where the page listens and who may
look; ``ui`` is the page's process and its words; ``play`` plays attempts as they are asked for,
``attempts`` is the growing run. ``watching`` reads usage all the time; ``objective``, ``inside``
and ``tabs`` say what the page shows beside Locust's own figures, and ``board`` writes it once a
second. docs/decisions/0019 says why, docs/web_ui.md how it is used.
"""
