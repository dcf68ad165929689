"""A gate's judgement: is the candidate slower, dearer or less reliable than the baseline?

    metrics     what it may fail by, as rows: margin, floor, ratio or difference
    rate        at which rate: a share of what a closed loop shows the baseline to carry
    comparable, same_load   whether the sides were asked the same, and what else differs
    measured    a gate's pairs as numbers
    paired, effect, difference   one metric over its pairs: estimate, bounds, p
    robust      the same without assuming normal pairs
    looks, holm, power   how strict each look is; how metrics share the error; what could be seen
    rule, sentences      pass, regression or inconclusive, of each metric and of the gate
    judge       look after look, up to the one that ends it
    sequence    the loop: play, look, go on or end
    conclude, notes, verdict   all of it, as it is written to ``verdict.json``
    page, charts, forest, tables, circumstances, phrases, markdown, junit, write   where people look
    machine, machine_record    what A/A gates have shown of this machine
    command     ``python -m reports gate`` and ``aa``

Sources: MEASUREMENT rules 15-19; the sequential design is Pocock's (constant nominal level).
"""
