"""What delivery does in the background; importing it binds the functions."""

from marketplace.delivery.background.exports import CHUNK_ITEMS as CHUNK_ITEMS
from marketplace.delivery.background.exports import CountsDiffer as CountsDiffer
from marketplace.delivery.background.exports import write_export as write_export
