"""Who is in the demonstration: three labs, twelve specialists, and the platform's staff."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from marketplace.identity.rules import Role


@dataclass(frozen=True, slots=True)
class Member:
    """Someone who works for a lab or for the platform; also: further roles."""

    email: str
    name: str
    role: Role
    also: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab: its owner founded it, the others were invited. top_up_minor: US cents."""

    name: str
    owner: Member
    others: tuple[Member, ...]
    top_up_minor: int


class Fate(StrEnum):
    """What became of a credential claim."""

    CHECKING = "checking"
    PROPOSED = "proposed"  # One person has looked and proposes; a second one is needed.
    VERIFIED = "verified"
    SUSPENDED = "suspended"


class Payee(StrEnum):
    """How far a specialist came with being paid; the values are those of Stripe's sandbox."""

    NONE = "none"
    VERIFIED = "verified"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A credential claim. valid_days: from today to its last day, negative when it has passed."""

    type: str
    identifier: str
    specialties: tuple[str, ...]
    jurisdiction: str = ""
    level: int = 4
    valid_days: int | None = 500
    fate: Fate = Fate.VERIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Specialist:
    """Someone who gives judgements.

    skill: how often (0..1) they answer as most would; born_on: an ISO date where they wrote one.
    """

    email: str
    name: str
    profession: str
    headline: str
    time_zone: str
    licences: tuple[Licence, ...]
    payee: Payee = Payee.NONE
    skill: float = 0.85
    born_on: str = ""

    @property
    def legal_name(self) -> str:
        """The name on their papers."""
        return self.name.removeprefix("Dr. ")


LABS = (
    Lab(
        "Halcyon Health Models",
        Member("lab@demo.test", "Nora Adler", Role.OWNER),
        (
            Member("manager@demo.test", "Tomás Reyes", Role.MANAGER),
            Member("reviewer@demo.test", "Dr. Mei-Lin Chou", Role.REVIEWER),
            Member("billing@demo.test", "Oskar Brandt", Role.BILLING),
        ),
        3_800_00,
    ),
    Lab(
        "Lexington Law AI",
        Member("lab2@demo.test", "Priya Nair", Role.OWNER),
        (
            Member("reviewer2@demo.test", "Gareth Pugh", Role.REVIEWER),
            Member("viewer2@demo.test", "Salome Ikeda", Role.VIEWER),
        ),
        2_500_00,
    ),
    Lab(
        "Orchard Code Research",
        Member("lab3@demo.test", "Jonas Weber", Role.OWNER),
        (Member("manager3@demo.test", "Amara Okafor", Role.MANAGER),),
        1_900_00,
    ),
)

STAFF = (
    Member("admin@demo.test", "Ruth Sandoval", Role.ADMINISTRATOR),
    Member("operations@demo.test", "Daniel Kovacs", Role.OPERATIONS),
    Member("operations2@demo.test", "Beatriz Lobo", Role.OPERATIONS),
    Member("finance@demo.test", "Ingrid Solberg", Role.PREPARER, (Role.RECONCILER,)),
    Member("approver@demo.test", "Marcus Bell", Role.APPROVER),
    Member("approver2@demo.test", "Helene Fournier", Role.APPROVER),
    Member("reconciler@demo.test", "Yusuf Demir", Role.RECONCILER),
    Member("auditor@demo.test", "Clara Whitfield", Role.AUDITOR),
)
SECOND_APPROVER = "approver2@demo.test"
# Who pays for the platform's own qualification, and how much, in US cents.
TREASURER, TREASURER_MINOR = "admin@demo.test", 300_00

DOCTORS = (
    Specialist(
        email="doctor@demo.test",
        name="Dr. Elena Marsh",
        profession="medicine",
        headline="Internist and cardiologist in San Francisco",
        time_zone="America/Los_Angeles",
        payee=Payee.VERIFIED,
        skill=0.93,
        born_on="1979-04-12",
        licences=(
            Licence(
                type="us_medical_license",
                identifier="A 204117",
                jurisdiction="US-CA",
                specialties=("internal_medicine", "cardiology"),
                valid_days=610,
            ),
            Licence(
                type="npi",
                identifier="1234567893",
                jurisdiction="US",
                specialties=("internal_medicine",),
                level=3,
                valid_days=None,
            ),
        ),
    ),
    Specialist(
        email="s.lindqvist@demo.test",
        name="Dr. Sofia Lindqvist",
        profession="medicine",
        headline="Family doctor with a practice in Brooklyn",
        time_zone="America/New_York",
        payee=Payee.VERIFIED,
        licences=(
            Licence(
                type="us_medical_license",
                identifier="318204",
                jurisdiction="US-NY",
                specialties=("family_medicine", "internal_medicine"),
                level=2,
            ),
        ),
    ),
    Specialist(
        email="r.calloway@demo.test",
        name="Dr. Ravi Calloway",
        profession="medicine",
        headline="Emergency physician in Austin",
        time_zone="America/Chicago",
        payee=Payee.VERIFIED,
        skill=0.8,
        licences=(
            Licence(
                type="us_medical_license",
                identifier="M4821",
                jurisdiction="US-TX",
                specialties=("emergency_medicine",),
                level=3,
                valid_days=26,
            ),
        ),
    ),
    Specialist(
        email="h.brandvold@demo.test",
        name="Dr. Henrik Brandvold",
        profession="medicine",
        headline="Retired internist, Seattle",
        time_zone="America/Los_Angeles",
        skill=0.75,
        licences=(
            Licence(
                type="us_medical_license",
                identifier="MD 00041873",
                jurisdiction="US-WA",
                specialties=("internal_medicine",),
                valid_days=-10,
            ),
        ),
    ),
    Specialist(
        email="a.osei@demo.test",
        name="Dr. Abena Osei",
        profession="medicine",
        headline="Neurologist, new here",
        time_zone="Europe/London",
        licences=(
            Licence(
                type="gmc",
                identifier="7412096",
                jurisdiction="GB",
                specialties=("neurology",),
                valid_days=300,
                fate=Fate.CHECKING,
            ),
        ),
    ),
)

LAWYERS = (
    Specialist(
        email="lawyer@demo.test",
        name="Miriam Castellanos",
        profession="law",
        headline="Commercial contracts, Los Angeles",
        time_zone="America/Los_Angeles",
        payee=Payee.VERIFIED,
        skill=0.92,
        licences=(
            Licence(
                type="us_bar",
                identifier="284613",
                jurisdiction="US-CA",
                specialties=("contracts", "corporate", "civil_litigation"),
            ),
        ),
    ),
    Specialist(
        email="j.abernathy@demo.test",
        name="Julian Abernathy",
        profession="law",
        headline="Transactional lawyer, New York",
        time_zone="America/New_York",
        payee=Payee.VERIFIED,
        licences=(
            Licence(
                type="us_bar",
                identifier="4917720",
                jurisdiction="US-NY",
                specialties=("contracts", "securities"),
                level=3,
            ),
            Licence(
                type="sra",
                identifier="648213",
                jurisdiction="GB",
                specialties=("contracts",),
                level=3,
                fate=Fate.PROPOSED,
            ),
        ),
    ),
    Specialist(
        email="k.vasquez@demo.test",
        name="Karla Vasquez",
        profession="law",
        headline="Litigator, Albany",
        time_zone="America/New_York",
        skill=0.7,
        licences=(
            Licence(
                type="us_bar",
                identifier="5230088",
                jurisdiction="US-NY",
                specialties=("contracts", "civil_litigation"),
                level=2,
                fate=Fate.SUSPENDED,
            ),
        ),
    ),
    Specialist(
        email="m.castell@demo.test",
        name="M. Castell",
        profession="law",
        headline="Contracts",
        time_zone="America/Los_Angeles",
        # The bar number of another account: the claim is blocked, and operations has a case.
        licences=(
            Licence(
                type="us_bar",
                identifier="0284613",
                jurisdiction="US-CA",
                specialties=("contracts",),
                fate=Fate.CHECKING,
            ),
        ),
    ),
)

CODERS = (
    Specialist(
        email="coder@demo.test",
        name="Tadashi Winters",
        profession="software",
        headline="Backend engineer, Python and PostgreSQL",
        time_zone="Europe/Berlin",
        payee=Payee.VERIFIED,
        skill=0.9,
        licences=(
            Licence(
                type="github",
                identifier="demo-twinters",
                specialties=("python", "backend", "security"),
                level=3,
                valid_days=None,
            ),
        ),
    ),
    Specialist(
        email="l.haddad@demo.test",
        name="Layla Haddad",
        profession="software",
        headline="Application security",
        time_zone="Europe/Paris",
        payee=Payee.VERIFIED,
        licences=(
            Licence(
                type="github",
                identifier="demo-lhaddad",
                specialties=("security", "typescript", "backend"),
                level=2,
                valid_days=None,
            ),
        ),
    ),
    Specialist(
        email="b.oduya@demo.test",
        name="Benedikt Oduya",
        profession="software",
        headline="Data engineer",
        time_zone="Africa/Lagos",
        payee=Payee.RESTRICTED,
        skill=0.75,
        licences=(
            Licence(
                type="github",
                identifier="demo-boduya",
                specialties=("python", "data_engineering"),
                level=2,
                valid_days=None,
            ),
        ),
    ),
)

SPECIALISTS = DOCTORS + LAWYERS + CODERS
BY_EMAIL = {one.email: one for one in SPECIALISTS}
