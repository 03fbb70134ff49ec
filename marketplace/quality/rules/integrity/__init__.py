"""Signs of dishonest or careless work: figures with what would be usual, and never a verdict.

Each detector gives findings with the numbers that a person needs to answer them. Which of them
become an evidence pack, and what follows, others decide; nothing here knows of pay or standing.
"""

from __future__ import annotations

from marketplace.quality.rules.integrity.collusion import Answers as Answers
from marketplace.quality.rules.integrity.collusion import collusion as collusion
from marketplace.quality.rules.integrity.copying import Text as Text
from marketplace.quality.rules.integrity.copying import copied as copied
from marketplace.quality.rules.integrity.copying import near_duplicates as near_duplicates
from marketplace.quality.rules.integrity.copying import shared_runs as shared_runs
from marketplace.quality.rules.integrity.copying import signature as signature
from marketplace.quality.rules.integrity.findings import Finding as Finding
from marketplace.quality.rules.integrity.findings import FindingKind as FindingKind
from marketplace.quality.rules.integrity.findings import false_shares as false_shares
from marketplace.quality.rules.integrity.haste import Timed as Timed
from marketplace.quality.rules.integrity.haste import haste as haste
from marketplace.quality.rules.integrity.position import position as position
from marketplace.quality.rules.integrity.position import position_share as position_share
from marketplace.quality.rules.integrity.sharing import Session as Session
from marketplace.quality.rules.integrity.sharing import sharing as sharing
from marketplace.quality.rules.integrity.spam import information as information
from marketplace.quality.rules.integrity.spam import spam as spam
