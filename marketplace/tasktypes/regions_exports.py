"""Image regions as the formats that detectors are trained on."""

from __future__ import annotations

from marketplace.tasktypes.exports import Exporter, Policy, catalogue
from marketplace.tasktypes.images.coco import coco
from marketplace.tasktypes.images.voc import voc
from marketplace.tasktypes.images.yolo import yolo
from marketplace.tasktypes.label_studio.regions import REGIONS as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio

# Boxes of several people are matched, not voted on, so these files hold what each of them said.
ALL = frozenset({Policy.ALL})

EXPORTS = catalogue(
    Exporter(key="coco", title="COCO", convert=coco, policies=ALL, suffix=".json"),
    Exporter(key="voc", title="Pascal VOC, one XML a line", convert=voc, policies=ALL),
    Exporter(key="yolo", title="YOLO, one text a line", convert=yolo, policies=ALL),
    label_studio(LABEL_STUDIO),
)
