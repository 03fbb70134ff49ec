"""Image regions as the formats that detectors are trained on.

Boxes of several people are matched, not voted on, so these files hold what each of them said.
"""

from __future__ import annotations

from marketplace.tasktypes.exports import catalogue
from marketplace.tasktypes.formats.images import COCO, VOC, YOLO
from marketplace.tasktypes.images.coco import coco
from marketplace.tasktypes.images.voc import voc
from marketplace.tasktypes.images.yolo import yolo
from marketplace.tasktypes.label_studio.regions import REGIONS as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio

EXPORTS = catalogue(COCO.by(coco), VOC.by(voc), YOLO.by(yolo), label_studio(LABEL_STUDIO))
