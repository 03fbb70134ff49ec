"""Model endpoints: where a lab's own models answer, for tasks in which a specialist talks to one.

Owns the tables model_endpoint and model_use: address, model, key, sampling, limits, and how many
calls each job has made. Every endpoint belongs to one organisation and has a name in it, by which
templates speak of it.
Promises: a key is kept encrypted, is sent to its own endpoint and nowhere else, and never comes
back out, neither on a page nor over the API nor in a log; nothing that a model's server says of a
failure is passed on, as it may repeat the key. A call goes to HTTPS at public addresses only,
checked when it is made, to the very address that was checked, and follows no redirect; the one
exception is the address that the operator set as MODEL_SANDBOX_BASE. A job makes no more calls
than its endpoint's budget allows: they are counted before they are made.
Never: knows tasks or claims; keeps what was said. `work` does, with the claim.

Decisions
- 2026-11: the web request that carries the specialist's words asks the model, with a time limit,
  and holds no transaction meanwhile: the words and the intention to ask are committed before, the
  replies after, and only what is committed is shown. Background work would have to wait behind
  imports and exports, since a worker does one thing at a time. A process asks for a few turns at a
  time only (`gateway.place`), so that slow models cannot take all of its threads; whoever finds no
  place has their words kept and asks again with one press.
- 2026-11: a reply that is lost, since the process was killed between asking and storing, was never
  shown; the intention to ask has an end, after which the next look offers to ask again.
- 2026-11: changing an endpoint counts its version, and each stored reply names the model and the
  version that gave it. A key is written anew or left as it is, never read; a new address drops the
  old key, which was for the old one.
- 2026-11: what a model is asked is OpenAI's chat completions without streaming, with the fields
  that every server of that kind knows; two samples are two calls, as `n` is not known everywhere.
- 2026-11: judges are asked by OpenAI's official client, whose transport is ours
  (`gateway.official`): every request goes through `http_client.post`, so the address is checked
  and pinned for each call and no redirect is followed, whatever the client would do by itself. It
  passes on only what a model's server needs of the client's headers, and never tries again alone.
"""
