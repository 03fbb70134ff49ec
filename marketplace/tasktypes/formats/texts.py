"""Formats of marked texts, of checked claims and of criteria.

Sources: doccano's samples; spaCy's pages on training data and DocBin; the IOB2 form of CoNLL 2003;
the READMEs of RAGTruth, SimpleQA and HealthBench.
"""

from __future__ import annotations

from marketplace.tasktypes.docbin import packed
from marketplace.tasktypes.exports import Column, ExportRow
from marketplace.tasktypes.formats import ANNOTATION_ID, EVERY, EXTERNAL_ID, Format

ID = Column("id", "text", "Your own name of the item.")
TEXT = Column("text", "text", "The text; offsets count its Unicode code points.")


def conll_text(row: ExportRow) -> bytes:
    """One text in two columns under CoNLL's mark of a document; a blank line ends a sentence.

    The form has no place for the item's id; texts stand in the order of the other exports.
    """
    lines = ["-DOCSTART- -X- O O", ""]
    ends = set(row["breaks"])
    for number, (word, tag) in enumerate(zip(row["tokens"], row["tags"], strict=True)):
        lines += ([""] if number in ends else []) + [f"{word}\t{tag}"]
    return ("\n".join(lines) + "\n\n").encode()


DOCCANO = Format(
    key="doccano",
    title="doccano, sequence labelling",
    help="What doccano imports for sequence labelling: a text and its spans. Relations, attributes "
    "and links to knowledge bases are not in it.",
    columns=(
        ID,
        TEXT,
        Column("label", "list of lists", "Start, end and label of each span."),
        Column("cats", "list of texts", "Labels of the whole text.", may_lack=True),
    ),
)
DOCCANO_RELATIONS = Format(
    key="doccano_relations",
    title="doccano, relations",
    help="What doccano imports where spans have relations: entities and relations by number. "
    "Attributes, links to knowledge bases and labels of the whole text are not in it.",
    columns=(
        ID,
        TEXT,
        Column("entities", "list of objects", "Number, start, end and label of each span."),
        Column("relations", "list of objects", "Number, ends and type of each relation."),
    ),
)
SPACY = Format(
    key="spacy",
    title="spaCy training dictionaries (JSONL)",
    help="A text with the annotations that spaCy's `Example.from_dict` reads. All spans stand "
    "under the key `sc`; `entities`, which cannot overlap, holds the longest of those that do.",
    columns=(
        ID,
        TEXT,
        Column("annotations", "object", "`entities`, `spans` and `cats`."),
    ),
)
SPACY_DOCBIN = Format(
    key="spacy_docbin",
    title="spaCy DocBin (binary)",
    help="What `spacy train` reads, ready made: `.spacy` files of up to 10,000 texts each in a "
    "ZIP, with `data.jsonl` to say which text is which item. Words are cut wherever a span begins "
    "or ends, so no span is lost. All spans stand under the key `sc`; entities, which cannot "
    "overlap, are the longest of those that do. Relations and attributes are not in it.",
    columns=(
        ID,
        TEXT,
        Column("words", "list of texts", "The tokens."),
        Column("spaces", "list of yes or no", "Whether a blank follows each token."),
        Column("entities", "list of lists", "First token, token after, label, knowledge base id."),
        Column("spans", "list of lists", "The same for all spans, with their offsets."),
        Column("cats", "object", "Labels of the whole text with 1 or 0."),
    ),
    suffix=".zip",
    members=packed,
)
CONLL = Format(
    key="conll",
    title="CoNLL, IOB2 (of overlapping spans the longest)",
    help="Words in one column and IOB2 tags in another, as for CoNLL 2003. The form cannot hold "
    "spans that overlap: the longest is kept and the others are counted, as are spans in which "
    "there is no word. Ids, relations and attributes are not in it.",
    columns=(
        ID,
        Column("tokens", "list of texts", "The words and signs."),
        Column("tags", "list of texts", "B-, I- with the label, or O."),
        Column("breaks", "list of whole numbers", "Before which words a sentence begins."),
    ),
    suffix=".conll",
    encode=conll_text,
)
RAGTRUTH = Format(
    key="ragtruth",
    title="RAGTruth",
    help="A response with the spans that its sources do not bear out, as in RAGTruth, for "
    "detectors of hallucination. Claims that are supported are not in it; evidence and its places "
    "are in the envelope.",
    columns=(
        EXTERNAL_ID,
        Column("prompt", "list of texts", "What was asked."),
        Column("sources", "list of objects", "`id`, `title` and `content` of each source."),
        Column("response", "text", "The response."),
        Column("labels", "list of objects", "Spans with their kind, in RAGTruth's words."),
        Column("quality", "text", "good, truncated or incorrect_refusal."),
    ),
)
SIMPLEQA = Format(
    key="simpleqa",
    title="SimpleQA grades",
    help="Answers with SimpleQA's grade, for graders. Judgements without a grade are counted.",
    columns=(
        EXTERNAL_ID,
        Column("problem", "list of texts", "What was asked."),
        Column("predicted_answer", "text", "The response."),
        Column("grade", "text", "CORRECT, INCORRECT or NOT_ATTEMPTED."),
    ),
)
HEALTHBENCH = Format(
    key="healthbench",
    title="HealthBench",
    help="A conversation with its criteria and their points, as HealthBench's evaluation reads "
    "them; one row a judgement, since each specialist writes criteria of their own.",
    columns=(
        Column("prompt_id", "text", "The item's own id, else your name of it."),
        ANNOTATION_ID,
        Column("prompt", "list of messages", "The conversation."),
        Column("rubrics", "list of objects", "`criterion`, `points` and `tags` each."),
        Column("example_tags", "list of texts", "What the item was tagged with."),
        Column("ideal_completions_data", "object or null", "The ideal answer, and references."),
    ),
    policies=EVERY,
)
