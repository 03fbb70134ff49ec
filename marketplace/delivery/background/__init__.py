"""What delivery does in the background; importing it binds the functions."""

from marketplace.delivery.background.exports import CHUNK_ITEMS as CHUNK_ITEMS
from marketplace.delivery.background.exports import CountsDiffer as CountsDiffer
from marketplace.delivery.background.exports import write_export as write_export
from marketplace.delivery.background.proofs import ProofFile as ProofFile
from marketplace.delivery.background.proofs import keep_heads as keep_heads
from marketplace.delivery.background.proofs import write_proof as write_proof
