"""Faults of a SUT's surroundings, made on purpose: a slow, deaf or absent backend, a held lock.

``python -m harness.faults proxy --to 127.0.0.1:5432`` stands between a SUT and a backend that
speaks TCP and prints ``ready 127.0.0.1:PORT control http://127.0.0.1:PORT``. What is POSTed to
``/control`` of the second address is in force from then on, any of::

    {"delay_s": 0.05}   each chunk waits so long, in either direction
    {"freeze": true}    nothing passes; connections stay open
    {"refuse": true}    new connections are reset
    {"reset": true}     connections that are open are reset, once

``{"refuse": true, "reset": true}`` is a backend that is down; ``{"refuse": false}`` brings it back.

``python -m harness.faults lock FILE SECONDS`` holds an SQLite file's write lock. Everything listens
on loopback only and ends with SIGTERM.
"""
