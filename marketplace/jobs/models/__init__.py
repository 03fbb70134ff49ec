"""The tables of jobs. Nobody outside this slice writes them."""

from marketplace.jobs.models.imports import ImportMark as ImportMark
from marketplace.jobs.models.imports import JobBucket as JobBucket
from marketplace.jobs.models.imports import JobImport as JobImport
from marketplace.jobs.models.imports import RejectedRow as RejectedRow
from marketplace.jobs.models.items import Item as Item
from marketplace.jobs.models.items import ItemAuthor as ItemAuthor
from marketplace.jobs.models.items import ItemImage as ItemImage
from marketplace.jobs.models.items import Prelabel as Prelabel
from marketplace.jobs.models.jobs import JOB_NUMBER as JOB_NUMBER
from marketplace.jobs.models.jobs import Job as Job
from marketplace.jobs.models.jobs import Ratio as Ratio
from marketplace.jobs.models.jobs import TemplateVersion as TemplateVersion
from marketplace.jobs.models.qualification import Qualification as Qualification
from marketplace.jobs.models.qualification import QualificationItem as QualificationItem
from marketplace.jobs.models.scans import ItemScan as ItemScan
from marketplace.jobs.models.scans import ScanFinding as ScanFinding
