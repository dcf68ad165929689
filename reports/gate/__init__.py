"""A gate's judgement: is the candidate slower, dearer or less reliable than the baseline?

    metrics     what it may fail by, as rows: margin, floor, ratio or difference
    measured    a gate's pairs as numbers
    effect, difference   one metric over its pairs: estimate, bounds, p
    looks, holm, power   how strict each look is; how metrics share the error; what could be seen
    rule        pass, regression or inconclusive, for each metric and for the gate
    verdict     all of it, as it is written to ``verdict.json``
    sequence    the loop: play, look, go on or end
    page, charts, tables, markdown, junit   where people look
    machine     what A/A gates have shown of this machine

Sources: MEASUREMENT rules 15-19; the sequential design is Pocock's (constant nominal level).
"""
