"""Finance's downloads, under the names that its pages use; see `web.downloads`."""

from marketplace.web.downloads import Cell as Cell
from marketplace.web.downloads import amount as amount
from marketplace.web.downloads import csv_text as csv_text
from marketplace.web.downloads import download as download
