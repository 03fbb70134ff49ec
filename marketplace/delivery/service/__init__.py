"""The verbs of delivery."""

from marketplace.delivery.service.cards import describe_data as describe_data
from marketplace.delivery.service.cards import freeze_card as freeze_card
from marketplace.delivery.service.cards import keep_readme as keep_readme
from marketplace.delivery.service.exports import begin as begin
from marketplace.delivery.service.exports import fail as fail
from marketplace.delivery.service.exports import finish as finish
from marketplace.delivery.service.exports import request_export as request_export
from marketplace.delivery.service.provenance import keep_heads as keep_heads
