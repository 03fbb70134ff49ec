"""Quality: how far judgements can be trusted.

Owns: gold, aggregation, agreement, skill, judges. `rules` holds the statistics: pure functions
of labels, equal to the published definitions, defined for one class and for no data.
Promises: a figure is either computed as its source says or is None.
Never: accepts or rejects work, pays, or pauses anybody; it proposes, `review` decides.
"""
