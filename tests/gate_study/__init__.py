"""How often is the gate wrong? Simulated, recorded and live series, and other methods on the same.

    profiles    machines as a simulation knows them: quiet, noisy, drifting
    series      simulated blocks of raw response times and readings, in the order they were played
    blocks      what a method is given: a pair's blocks, raw, and their values
    methods     our gate and what others do, each from the same pairs to a word
    simulate    many gates of each profile and truth, in figures
    recorded    the same on recorded gates: labels swapped, slowdowns injected
    live        real gates one after the other, kept as they end
    planted     ensembles with a known fault, for live gates
    table       the figures as they stand in the documents

Run it with ``python -m tests.gate_study``; pytest does not collect it.
"""
