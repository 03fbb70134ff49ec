"""Formats of regions in images. Sources: COCO's data format; Pascal VOC's annotations; YOLO."""

from __future__ import annotations

from marketplace.tasktypes.exports import Column
from marketplace.tasktypes.formats import EVERY, EXTERNAL_ID, Format
from marketplace.tasktypes.images.coco import document
from marketplace.tasktypes.images.voc import members as voc_members
from marketplace.tasktypes.images.yolo import members as yolo_members

ANNOTATOR = Column("annotator", "object", "Who marked it, as you may know them.")
FILENAME = Column("filename", "text", "The file inside the ZIP.")

COCO = Format(
    key="coco",
    title="COCO",
    help="One JSON document of images, annotations and categories, which pycocotools and most "
    "detectors read. Coordinates are pixels of the original image; an image that several people "
    "judged stands once, with the regions of each. What was said of a region, and who said it, "
    "stands beside it, where readers pass over it.",
    columns=(
        Column("image", "object", "File name, width and height, your name of the item."),
        Column("categories", "list of objects", "The labels, by key and title."),
        Column("annotations", "list of objects", "Box, outline, area and label of each region."),
    ),
    policies=EVERY,
    suffix=".json",
    document=document,
)
VOC = Format(
    key="voc",
    title="Pascal VOC, XML files in a ZIP",
    help="One XML file an image under `Annotations/`, as labelling tools write Pascal VOC; where "
    "several people judged one image, each has a folder. Polygons keep their corners beside their "
    "box. Points have no box: they are left out and counted.",
    columns=(
        FILENAME,
        Column("xml", "text", "The file."),
        EXTERNAL_ID,
        ANNOTATOR,
    ),
    policies=EVERY,
    suffix=".zip",
    members=voc_members,
)
YOLO = Format(
    key="yolo",
    title="YOLO, text files in a ZIP",
    help="One text file an image under `labels/`, a line for each box as shares of the image, and "
    "`data.yaml` with the names of the classes; put your images under `images/`. Polygons are told "
    "by their box, and points are left out; both are counted.",
    columns=(
        FILENAME,
        Column("image", "text", "The image's name."),
        Column("boxes", "list of objects", "Label, middle and size as shares of the sides."),
        Column("names", "list of texts", "The labels of the job, in its order."),
        EXTERNAL_ID,
        ANNOTATOR,
    ),
    policies=EVERY,
    suffix=".zip",
    members=yolo_members,
)
