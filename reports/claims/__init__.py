"""What is said of the architectures, judged by what was recorded.

A claim is a TOML file: the statement, where it is said, and hypotheses with a margin fixed before
anything was measured. The page shows each as supported, refuted, inconclusive or not tested. No
verdict stands in the code or in a claim's file.
"""
