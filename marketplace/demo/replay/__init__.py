"""A folder of recorded human judgements, taken through the whole loop over the public API.

Three specialists give the recorded answers to a running stack, task by task; the lab pays in, the
work is accepted, cleared and paid out, and the export comes back. Every figure is compared with
the folder's own; any difference ends the replay with what was expected and what was found.
"""
