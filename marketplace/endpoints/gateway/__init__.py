"""Asking models: a specialist's turns, and a judge's questions through the official client.

`official` is not imported here: the client takes a second to load, and web processes never ask it.
"""

from marketplace.endpoints.gateway.turns import Call as Call
from marketplace.endpoints.gateway.turns import Reply as Reply
from marketplace.endpoints.gateway.turns import ask as ask
from marketplace.endpoints.gateway.turns import place as place
