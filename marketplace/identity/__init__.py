"""Identity: people, organisations, roles, sign-ins, API tokens.

Owns person, organisation, membership, invitation, sign_in, one_time_token, recovery_code,
api_token, idempotency_record and erasure. It alone knows names, e-mail addresses and passwords.

Promises: a password, a token and a recovery code are stored only as hashes, a TOTP secret only
encrypted; an unknown e-mail address costs as long to refuse as a wrong password; nobody acts as
another person; an organisation always keeps an owner (the platform an administrator); permissions
are looked up at each use, so a lost role ends at once what tokens and sign-ins may do.

Never: prices, credentials, money; no network; no HTTP.

2026-11: a sign-in is a row, not a signed cookie, so that it can be listed and ended.
2026-11: roles are memberships; being a specialist belongs to the person, since a specialist works
for nobody. 2026-11: erasing empties a person's row, ends what they were signed in with, and frees
their address; the row and its id stay, since the book and judgements name it.
A person who is both acts for one at a time and chooses with the organisation switcher.
"""
