"""The lab's pages: jobs and their builder, items, price and publishing, review, balance, exports.

One module for each area, each with a blueprint of its own; views load a form, open the
transaction, call one verb and redirect. `builder`, `template_form` and `schema_form` read and
write the forms of a job, which follow from its type's schema; `job_file` the same job as YAML;
`preview` shows its task by the workbench's own templates in another layout; `shown` says what
several pages show alike. People appear under the lab's own pseudonyms, in alphabetical order,
never ranked.

Decisions
- 2026-11: the page of a job's quality (`quality`) reads what the last fit stored and says when that
  was; below ten items with two answers it says that agreement cannot be told. Its plots have one
  scale and intervals (`web.quality_plots`). `disagreements` shows each label with who gave it and
  why; asking a third person and promoting to gold are one press away, by the verbs of review.
"""
