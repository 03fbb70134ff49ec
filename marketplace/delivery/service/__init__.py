"""The verbs of delivery."""

from marketplace.delivery.service.cards import describe_data as describe_data
from marketplace.delivery.service.cards import freeze_card as freeze_card
from marketplace.delivery.service.cards import keep_readme as keep_readme
from marketplace.delivery.service.deliveries import begin_delivery as begin_delivery
from marketplace.delivery.service.deliveries import deliver_again as deliver_again
from marketplace.delivery.service.deliveries import end_delivery as end_delivery
from marketplace.delivery.service.deliveries import keep_upload as keep_upload
from marketplace.delivery.service.exports import WRITE as WRITE
from marketplace.delivery.service.exports import begin as begin
from marketplace.delivery.service.exports import drop_parts as drop_parts
from marketplace.delivery.service.exports import expire as expire
from marketplace.delivery.service.exports import fail as fail
from marketplace.delivery.service.exports import finish as finish
from marketplace.delivery.service.exports import keep_part as keep_part
from marketplace.delivery.service.exports import request_export as request_export
from marketplace.delivery.service.exports import write_again as write_again
from marketplace.delivery.service.freezing import freeze_authors as freeze_authors
from marketplace.delivery.service.freezing import mark as mark
from marketplace.delivery.service.freezing import numbered as numbered
from marketplace.delivery.service.provenance import keep_heads as keep_heads
