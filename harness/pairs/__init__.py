"""Two sides, baseline and candidate, played block beside block: what a gate judges.

    section       [gate] of a scenario: rate, looks, margins
    sides         what is compared: revisions, variants, scenario files or URLs, as commands to run
    revisions     git worktrees; ``environments``: an interpreter for each
    player        one side's run, which plays its next block when it is told to
    contamination which pairs are played again, by a rule that never looks at response times
    play          pairs in seeded random order
    record        what is left on disk

Nothing here judges: ``reports.gate`` does.
"""
