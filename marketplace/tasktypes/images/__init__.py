"""Images as formats tell of them: geometry, measures, what is written and what is read.

Readers are pure: they make `{external_id, payload, prelabels}` or `{external_id, payload, gold}`
of the task type `regions`; imports turn these into items. Coordinates inside the marketplace are
pixels of the original image with at most two decimals.
"""

from marketplace.tasktypes.images.coco import coco_items as coco_items
from marketplace.tasktypes.images.matching import agreement as agreement
from marketplace.tasktypes.images.matching import matches as matches
from marketplace.tasktypes.images.voc import NotVoc as NotVoc
from marketplace.tasktypes.images.voc import voc_item as voc_item
