"""A table's columns as the Hub's cards and as Croissant name them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

NAMES = {"string": "string", "bool": "bool", "int64": "int64", "double": "float64"}
TYPES = {"string": "sc:Text", "bool": "sc:Boolean", "int64": "sc:Integer", "double": "sc:Float"}


def hub_features(schema: pa.Schema) -> list[dict[str, Any]]:
    """The columns as `dataset_info.features` of a card lists them."""
    return [{"name": field.name, **_feature(field.type)} for field in schema]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        inner = _feature(kind.value_type)
        return {"list": inner.get("dtype") or inner.get("struct") or inner}
    if pa.types.is_struct(kind):
        return {"struct": [{"name": each.name, **_feature(each.type)} for each in kind]}
    return {"dtype": NAMES[str(kind)]}


def croissant_fields(
    schema: pa.Schema, record_set: str, file: str, says: dict[str, str]
) -> list[dict[str, Any]]:
    """The columns as fields of a record set that reads one file; `says` describes some."""
    return [
        _field(each.name, each.type, f"{record_set}/{each.name}", file, says.get(each.name, ""))
        for each in schema
    ]


def _field(name: str, kind: pa.DataType, at: str, file: str, says: str) -> dict[str, Any]:
    """A column. What is nested in it is told by its path alone, as readers take it whole."""
    told: dict[str, Any] = {"@type": "cr:Field", "@id": at, "name": name}
    if says:
        told["description"] = says
    source = {"fileObject": {"@id": file}, "extract": {"column": name}}
    depth = 0
    while pa.types.is_list(kind):
        kind, depth = kind.value_type, depth + 1
    if depth:
        told |= {"isArray": True, "arrayShape": ",".join(["-1"] * depth)}
    if pa.types.is_struct(kind):
        told["subField"] = [
            _part(each.name, each.type, f"{at}/{each.name}", source) for each in kind
        ]
    else:
        told["dataType"] = TYPES[str(kind)]
    return told | {"source": source}


def _part(name: str, kind: pa.DataType, at: str, source: dict[str, Any]) -> dict[str, Any]:
    """A part of a column, to any depth."""
    inner = {**source, "transform": {"jsonPath": f"$.{name}"}}
    told: dict[str, Any] = {"@type": "cr:Field", "@id": at, "name": name}
    while pa.types.is_list(kind):
        kind = kind.value_type
        told |= {"isArray": True, "arrayShape": "-1"}
    told["dataType"] = TYPES.get(str(kind), "sc:Text")
    return told | {"source": inner}
