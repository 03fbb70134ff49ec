"""The lab's pages: jobs and their builder, items, price and publishing, review, balance, exports.

One module for each area, each with a blueprint of its own; views load a form, open the
transaction, call one verb and redirect. `builder` and `template_form` read and write the forms of
a job; `shown` says what several pages show alike. People appear under the lab's own pseudonyms,
in alphabetical order, never ranked.
"""
