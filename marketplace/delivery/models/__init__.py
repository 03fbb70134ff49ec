"""The tables of delivery."""

from marketplace.delivery.models.cards import DataCard as DataCard
from marketplace.delivery.models.cards import ExportCard as ExportCard
from marketplace.delivery.models.exports import Export as Export
from marketplace.delivery.models.provenance import DayHead as DayHead
