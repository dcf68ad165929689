"""Stored runs: what this machine has shown so far, and whether a new run is far outside of it.

    record      a run's figures as they are stored
    workload    what was asked, as keys that must agree
    figures     a run directory's results -> what is stored of it
    store       a folder of stored runs: add, read
    comparable  which stored runs a run may be held against, and why the others may not
    limits      the prediction limit of one more value
    check       a run against the store, figure by figure
    history     the figures over time, each with the limit that held then
    charts, tables, page   the history page
    export      CSV for a tool that finds change points
    command     ``baselines add | check | list | page | export``

Stored runs were made at other times, so they may claim gross changes only (MEASUREMENT rule 19):
what is smaller needs a gate, whose two sides stand side by side.
"""
