"""Configurations of Label Studio: what they come to, what is told, what is refused."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.tasktypes import TASK_TYPES, Json
from marketplace.tasktypes.label_studio.config import NotAConfiguration, carried

SAMPLES = "label_studio_samples/tests/custom/converter/data"
SPANS = """<View><Header value="Mark drugs."/><Text name="t" value="$note"/>
<Labels name="l" toName="t"><Label value="Drug" hotkey="1" hint="By any name"/>
<Label value="Dose" hotkey="1"/></Labels><Relations><Relation value="of"/></Relations>
<Choices name="c" toName="t" choice="multiple"><Choice value="Urgent"/></Choices>
<Taxonomy name="x" toName="t"><Choice value="a"/></Taxonomy></View>"""
PAIR = """<View><Text name="one" value="$left"/><Text name="two" value="$right"/>
<Pairwise name="p" toName="one,two"/><TextArea name="why" toName="one"/></View>"""


@pytest.mark.parametrize(
    ("config", "kind", "fields", "left"),
    [
        (SPANS, "spans", {"text": "note"}, ["Taxonomy “x”"]),
        (PAIR, "pairwise", {"a": "left", "b": "right"}, []),
        (
            '<View><List name="r" value="$drafts"/><Ranker name="k" toName="r"/>'
            '<Bucket name="best" title="Best"/></View>',
            "ranking",
            {"responses": "drafts"},
            ["Bucket “best”"],
        ),
        (
            '<View><Text name="t" value="$answer"/><Rating name="quality" toName="t"/>'
            '<Number name="n" toName="t" max="9"/></View>',
            "rubric",
            {"response": "answer"},
            [],
        ),
        (
            '<View><Text name="t" value="$q"/><Choices name="tone" toName="t">'
            '<Choice value="Warm"/><Choice value="Cold"/></Choices></View>',
            "judge_calibration",
            {"messages": "q"},
            [],
        ),
        (
            '<View><Text name="t" value="$q"/><Text name="u" value="$a"/><Choices name="tone" '
            'toName="u"><Choice value="Warm"/><Choice value="Cold"/></Choices>'
            '<Rating name="stars" toName="u"/><TextArea name="reason" toName="u"/></View>',
            "judge_calibration",
            {"responses": "q"},
            [],
        ),
        (
            '<View><Text name="t" value="$q"/><Taxonomy name="tree" toName="t">'
            '<Choice value="a"/></Taxonomy><DateTime name="day" toName="t"/></View>',
            "correction",
            {"text": "q"},
            [],
        ),
        (
            '<View><Text name="t" value="$q"/><TextArea name="a" toName="t"/></View>',
            "demonstration",
            {"messages": "q"},
            [],
        ),
        ('<View><Audio name="a" value="$u"/></View>', "", {}, ["Audio “a”"]),
    ],
)
def test_what_a_configuration_comes_to(
    config: str, kind: str, fields: Json, left: list[str]
) -> None:
    found = carried(config)

    assert (kind, fields, left) == (
        found.task_type,
        dict(found.fields),
        [each.tag for each in found.left],
    )
    if kind:
        assert [] == TASK_TYPES[kind].check_template(found.template)


def test_labels_choices_and_relations_keep_what_we_have_a_place_for() -> None:
    template = carried(SPANS).template

    assert "Mark drugs." == template["question"]
    assert [{"name": "Drug", "key": "1", "guideline": "By any name"}, {"name": "Dose"}] == (
        template["labels"]
    )
    assert ([{"name": "of"}], [{"name": "Urgent"}], True) == (
        template["relations"],
        template["cats"],
        template["cats_many"],
    )


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("", "not XML"),
        ("<View>", "not XML"),
        ("<!DOCTYPE v [<!ENTITY a 'b'>]><View>&a;</View>", "declares entities"),
        ("<!DOCTYPE v SYSTEM 'file:///etc/passwd'><View/>", "declares entities"),
        ("<View>" * 60 + "</View>" * 60, "deeper"),
        ("<View>" + "<Label/>" * 6_000 + "</View>", "more tags"),
        ("x" * 200_001, "longer than"),
    ],
)
def test_what_cannot_be_read_is_refused(config: str, words: str) -> None:
    with pytest.raises(NotAConfiguration, match=words):
        carried(config)


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(["Labels", "Choices", "Rating", "Text", "RectangleLabels", "Pairwise"]),
        max_size=5,
    ),
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), max_size=3),
)
def test_any_tags_with_any_words_never_fail(tags: list[str], words: list[str]) -> None:
    inner = "".join(f"<Label value={quoteattr(w)}/><Choice value={quoteattr(w)}/>" for w in words)
    config = "<View>" + "".join(f'<{tag} name="n">{inner}</{tag}>' for tag in tags) + "</View>"

    found = carried(config)

    assert isinstance(found.template, dict)


@pytest.mark.parametrize("name", ["test_export_coco", "test_export_json_min"])
def test_published_configurations_come_over_whole(sample_data: Path, name: str) -> None:
    found = carried((sample_data / SAMPLES / name / "label_config.xml").read_text())

    assert ("regions", {"image": "image"}, ()) == (
        found.task_type,
        dict(found.fields),
        found.left,
    )
    assert [] == TASK_TYPES["regions"].check_template(found.template)
