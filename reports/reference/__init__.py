"""The generated parts of the documents: what the code knows of its own keys, metrics and commands.

A document holds a part between two comments, ``<!-- reference: NAME -->`` and
``<!-- /reference -->``; what stands around it is written by hand. ``nox -s reference`` writes every
part anew, and a test compares what is committed with what would be written.
"""
