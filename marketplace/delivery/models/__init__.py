"""The tables of delivery."""

from marketplace.delivery.models.exports import Export as Export
