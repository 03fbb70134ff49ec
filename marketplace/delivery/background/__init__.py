"""What delivery does in the background; importing it binds the functions."""

from marketplace.delivery.background.deliveries import deliver_export as deliver_export
from marketplace.delivery.background.engine import Engine as Engine
from marketplace.delivery.background.expiry import expire_exports as expire_exports
from marketplace.delivery.background.expiry import forget_files as forget_files
from marketplace.delivery.background.exports import CountsDiffer as CountsDiffer
from marketplace.delivery.background.exports import write_export as write_export
from marketplace.delivery.background.proofs import ProofFile as ProofFile
from marketplace.delivery.background.proofs import keep_heads as keep_heads
from marketplace.delivery.background.proofs import write_proof as write_proof
from marketplace.delivery.background.webhooks import purge_webhooks as purge_webhooks
from marketplace.delivery.background.webhooks import watch_jobs as watch_jobs
