"""The rules of delivery; pure."""

from marketplace.delivery.rules.coarse import coarse_count as coarse_count
from marketplace.delivery.rules.coarse import coarse_share as coarse_share
from marketplace.delivery.rules.exports import GZIPPED as GZIPPED
from marketplace.delivery.rules.exports import MIMETYPES as MIMETYPES
from marketplace.delivery.rules.exports import NEXT as NEXT
from marketplace.delivery.rules.exports import NEXT_DELIVERY as NEXT_DELIVERY
from marketplace.delivery.rules.exports import WRITTEN as WRITTEN
from marketplace.delivery.rules.exports import Compression as Compression
from marketplace.delivery.rules.exports import DeliveryState as DeliveryState
from marketplace.delivery.rules.exports import ExportState as ExportState
from marketplace.delivery.rules.exports import filename as filename
from marketplace.delivery.rules.exports import in_one_go as in_one_go
from marketplace.delivery.rules.exports import is_text as is_text
from marketplace.delivery.rules.exports import mimetype as mimetype
from marketplace.delivery.rules.labelling import Believed as Believed
from marketplace.delivery.rules.labelling import Labelling as Labelling
from marketplace.delivery.rules.proof import BUNDLED as BUNDLED
from marketplace.delivery.rules.proof import ENVELOPES as ENVELOPES
from marketplace.delivery.rules.proof import export_statement as export_statement
from marketplace.delivery.rules.proof import proof_name as proof_name
