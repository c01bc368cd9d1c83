"""Templates of wikis, messages of translators, and templates of mails that look names up."""

from __future__ import annotations

import pytest

from guard_wsgi.detection import Inspection
from guard_wsgi.detection.relaxations.fragments import without_fragments
from tests.detection.requests import findings_in

TEXTS = (
    "$1 (requer $2)",
    "$1 (Alle naamruumdes)",
    "$1 ({{PLURAL:$2|1 harafi|$2 harfa}})",
    "Label for\n{{Identical|Try again}}",
    "{{Identical|Try again}}",
    "{{Quote|text=Don't|author=X}}",
    "{{convert|6|ft|2|in|cm|abbr=on}}",
    "{{#if: {{{1|}}} | yes | no}}",
    "{{#ifeq: {{{1|}}} | x | yes | no}}",
    "{{Main|History of SQL}}\n'''SQL''' is ''a language''",
    "{{GENDER:$1|he|she}} said",
    "{{Infobox person\n| name = Sean\n| birth_date = {{birth date|1880|3|30}}\n}}",
    "{{#each items}}<li>{{this.name}} {{#if this.sale}}(sale!){{/if}}</li>{{/each}}",
)


@pytest.mark.parametrize("place", ["query", "form", "json", "multipart"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_text_of_a_wiki_passes(inspection: Inspection, place: str, text: str) -> None:
    assert not findings_in(inspection, place, text)


ATTACKS = (
    "{{config|tojson}}",
    "{{self|string}}",
    "{{Name|attr}}{{7*7}}",
    '{{x|attr("__class__")}}',
    "{{id|system}}",
    '{{x|map("system")}}',
    "{{Name|{{7*7}}}}",
    "{{Name|`id`|x}}",
    "{{Name|a=$(id)}}",
    "{{Name|x;id}}",
    "{{Name||id}}",
    "{{Name| id }}",
    "{{Name|cat /etc/passwd}}",
    "{{Name|x=1|' or 1=1--}}",
    "{{Name|<script>alert(1)</script>}}",
    "{{this.constructor.constructor('alert(1)')()}}",
    "{{this.__class__}}",
    '{{#with "s" as |string|}}{{/with}}',
    "$a(1)",
)


@pytest.mark.parametrize("place", ["query", "form", "json"])
@pytest.mark.parametrize("text", ATTACKS)
def test_an_attack_in_its_shape_is_refused(inspection: Inspection, place: str, text: str) -> None:
    assert findings_in(inspection, place, text)


@pytest.mark.parametrize(
    "text", ["{{A|b c|' or 1=1}}", "{{A|b=../../x}}", "{{A b|http://e.example}}"]
)
def test_what_a_template_says_is_weighed(text: str) -> None:
    left = without_fragments(text)
    assert "{{" not in left
    assert all(part in left for part in ("' or 1=1", "../../x", "e.example") if part in text)
