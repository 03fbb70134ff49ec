"""Reads of delivery: exports, the records that go into them, the feed of events."""

from marketplace.delivery.queries.cards import card_facts as card_facts
from marketplace.delivery.queries.cards import data_card_of as data_card_of
from marketplace.delivery.queries.facts import guidelines_of as guidelines_of
from marketplace.delivery.queries.events import events_after as events_after
from marketplace.delivery.queries.labels import has_labels as has_labels
from marketplace.delivery.queries.labels import labels_as_of as labels_as_of
from marketplace.delivery.queries.origin import Bound as Bound
from marketplace.delivery.queries.origin import Origin as Origin
from marketplace.delivery.queries.origin import Step as Step
from marketplace.delivery.queries.origin import origin_of as origin_of
from marketplace.delivery.queries.provenance import HANDED_IN as HANDED_IN
from marketplace.delivery.queries.provenance import chain_of as chain_of
from marketplace.delivery.queries.provenance import heads_of as heads_of
from marketplace.delivery.queries.provenance import heads_until as heads_until
from marketplace.delivery.queries.provenance import links_after as links_after
from marketplace.delivery.queries.provenance import unsigned_heads as unsigned_heads
from marketplace.delivery.queries.records import Chunk as Chunk
from marketplace.delivery.queries.records import accepted_count as accepted_count
from marketplace.delivery.queries.records import export_of as export_of
from marketplace.delivery.queries.records import exports_of as exports_of
from marketplace.delivery.queries.records import records_after as records_after
