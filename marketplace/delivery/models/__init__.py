"""The tables of delivery."""

from marketplace.delivery.models.cards import DataCard as DataCard
from marketplace.delivery.models.cards import ExportCard as ExportCard
from marketplace.delivery.models.exports import Export as Export
from marketplace.delivery.models.exports import ExportAuthor as ExportAuthor
from marketplace.delivery.models.exports import ExportBelief as ExportBelief
from marketplace.delivery.models.exports import ExportPart as ExportPart
from marketplace.delivery.models.provenance import DayHead as DayHead
from marketplace.delivery.models.webhooks import EventCursor as EventCursor
from marketplace.delivery.models.webhooks import WebhookAttempt as WebhookAttempt
from marketplace.delivery.models.webhooks import WebhookDelivery as WebhookDelivery
from marketplace.delivery.models.webhooks import WebhookEndpoint as WebhookEndpoint
