//! OSCAL 1.2.2: two catalogues of numbers and titles of our own, a component definition with what each primitive does, and a mapping collection.
//!
//! Identifiers follow from what they name, so that the same tree gives the same files: those of parts from their ids, that of a document from its content.
//! OSCAL calls an implemented requirement what a supplier suggests; so it is here. What is out of reach or not applicable is not listed: nothing is to be inferred
//! from that; the reasons are in docs/guidelines.
//!
//! ```text
//!  render
//!  oscal   (this file)
//!  model
//! ```

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Decision, File, Kind, Mapping, NEWEST, Primitive, Provision};

const VERSION: &str = "1.2.2";
const COP: &str = "catalog-uk-cop.json";
const EN: &str = "catalog-en-303-645.json";
/// The namespace of what is ours.
const NS: &str = "urn:bydesign:oscal";
const OLDER: &str = "en303645-v2.1.1";

pub(super) fn documents(mapping: &Mapping) -> Vec<File> {
    let documents = [
        (COP, "catalog", code_of_practice(mapping)),
        (EN, "catalog", en_303_645(mapping)),
        (
            "component-definition.json",
            "component-definition",
            components(mapping),
        ),
        ("mapping-collection.json", "mapping-collection", mappings(mapping)),
    ];
    documents
        .into_iter()
        .map(|(file, kind, mut body)| {
            // The document's own identifier is of all that it says.
            body["uuid"] = json!("");
            let content = body.to_string();
            body["uuid"] = json!(id(&format!("{file} {content}")));
            let text = serde_json::to_string_pretty(&json!({ kind: body })).unwrap_or_default() + "\n";
            (format!("compliance/oscal/{file}"), text)
        })
        .collect()
}

fn id(name: &str) -> String {
    let ours = Uuid::new_v5(&Uuid::NAMESPACE_URL, NS.as_bytes());
    Uuid::new_v5(&ours, name.as_bytes()).to_string()
}

fn metadata(mapping: &Mapping, title: &str, remarks: &str) -> Value {
    json!({
        "title": title,
        "last-modified": format!("{}T00:00:00Z", mapping.reviewed),
        "version": mapping.version,
        "oscal-version": VERSION,
        "remarks": remarks,
    })
}

/// A token of OSCAL begins with a letter.
fn control(framework: &str, number: &str) -> String {
    match framework {
        NEWEST => format!("en303645-v3-{number}"),
        OLDER => format!("en303645-v2-{number}"),
        other => format!("{other}-{number}"),
    }
}

fn prop(name: &str, value: &str) -> Value {
    json!({ "name": name, "ns": NS, "value": value })
}

fn code_of_practice(mapping: &Mapping) -> Value {
    let controls: Vec<Value> = mapping
        .guidelines
        .iter()
        .map(|guideline| {
            let control_id = control("cop", &guideline.number.to_string());
            json!({
                "id": control_id,
                "title": guideline.title,
                "props": [prop("force", &guideline.force)],
                "parts": [{ "id": format!("{control_id}_smt"), "name": "statement", "prose": guideline.asks }],
            })
        })
        .collect();
    json!({
        "uuid": "",
        "metadata": metadata(mapping, "UK Code of Practice for Consumer IoT Security (2018)",
            "Titles of the 13 guidelines, and what they ask for in the words of the bydesign project; the Code itself is published by the UK government."),
        "controls": controls,
    })
}

fn en_303_645(mapping: &Mapping) -> Value {
    let group = |framework: &str, id: &str| {
        let controls: Vec<Value> = mapping
            .provisions_of(framework)
            .map(|provision| {
                json!({
                    "id": control(framework, &provision.id),
                    "title": format!("Provision {}", provision.id),
                    "props": [prop("status", &provision.status)],
                    "parts": [{ "id": format!("{}_smt", control(framework, &provision.id)), "name": "statement", "prose": provision.summary }],
                })
            })
            .collect();
        let title = mapping
            .framework(framework)
            .map_or(framework, |framework| framework.name.as_str());
        json!({ "id": id, "title": title, "controls": controls })
    };
    json!({
        "uuid": "",
        "metadata": metadata(mapping, "ETSI EN 303 645, numbers of its provisions",
            "Numbers and status are ETSI's; what a provision asks for is in the words of the bydesign project and does not replace the standard."),
        "groups": [group(NEWEST, "en303645-v3"), group(OLDER, "en303645-v2")],
    })
}

fn components(mapping: &Mapping) -> Value {
    let mut components: Vec<Value> = mapping
        .primitives
        .iter()
        .filter_map(|primitive| component(mapping, primitive))
        .collect();
    let documented: Vec<&Provision> = mapping
        .provisions_of(NEWEST)
        .filter(|provision| provision.decision == Decision::Documents)
        .collect();
    let requirements: Vec<Value> = documented
        .iter()
        .map(|provision| implemented(mapping, "documents", provision, &[]))
        .collect();
    components.push(json!({
        "uuid": id("component documents"),
        "type": "plan",
        "title": "bydesign: documents",
        "description": "What the library's documents give towards a provision, without code that a requirement holds to.",
        "control-implementations": [implementation("documents", &requirements)],
    }));
    json!({
        "uuid": "",
        "metadata": metadata(mapping, "bydesign: secure-by-design primitives for connected devices",
            "What each primitive does towards provisions of ETSI EN 303 645 V3.1.3, as its developers suggest. Whether a device meets a provision is decided by the device. \
             Provisions that are out of reach are not listed; nothing is to be inferred from that."),
        "components": components,
    })
}

fn implementation(of: &str, requirements: &[Value]) -> Value {
    json!({
        "uuid": id(&format!("implementation {of}")),
        "source": EN,
        "description": "Towards ETSI EN 303 645 V3.1.3; each description says what remains to be done by others.",
        "implemented-requirements": requirements,
    })
}

fn component(mapping: &Mapping, primitive: &Primitive) -> Option<Value> {
    let requirements: Vec<Value> = mapping
        .provisions_of(NEWEST)
        .filter_map(|provision| {
            let ids: Vec<&str> = provision
                .requirements
                .iter()
                .filter(|id| primitive.requirements.contains(id))
                .map(String::as_str)
                .collect();
            (!ids.is_empty()).then(|| implemented(mapping, &primitive.id, provision, &ids))
        })
        .collect();
    if requirements.is_empty() {
        return None;
    }
    let mut props = vec![prop("module", &primitive.module)];
    props.extend(
        primitive
            .features
            .iter()
            .map(|feature| prop("cargo-feature", feature)),
    );
    Some(json!({
        "uuid": id(&format!("component {}", primitive.id)),
        "type": "software",
        "title": format!("bydesign: {}", primitive.title),
        "description": format!("Module {} of the Rust crate bydesign.", primitive.module),
        "props": props,
        "control-implementations": [implementation(&primitive.id, &requirements)],
    }))
}

fn implemented(mapping: &Mapping, of: &str, provision: &Provision, requirements: &[&str]) -> Value {
    let mut props = vec![prop(
        "support-level",
        match provision.decision {
            Decision::Implements => "implements",
            Decision::Supports => "supports",
            _ => "documents",
        },
    )];
    props.extend(requirements.iter().map(|id| prop("requirement-id", id)));
    props.extend(provision.duties.iter().map(|id| prop("integrator-duty", id)));
    let mut links: Vec<String> = requirements
        .iter()
        .flat_map(|id| mapping.citations_of(id))
        .filter(|citation| citation.kind != Kind::Exception)
        .map(|citation| format!("../../{}", citation.file))
        .collect();
    links.sort();
    links.dedup();
    let mut links: Vec<Value> = links
        .into_iter()
        .map(|href| json!({ "href": href, "rel": "evidence" }))
        .collect();
    if links.is_empty() {
        links.push(json!({ "href": "../../docs/guidelines/README.md", "rel": "reference" }));
    }
    json!({
        "uuid": id(&format!("implemented {of} {}", provision.id)),
        "control-id": control(NEWEST, &provision.id),
        "description": provision.reason,
        "props": props,
        "links": links,
    })
}

fn mappings(mapping: &Mapping) -> Value {
    let item = |id: String| json!({ "type": "control", "id-ref": id });
    let map = |name: &str, relationship: &str, sources: &[Value], targets: &[Value]| json!({ "uuid": id(&format!("map {name}")), "relationship": relationship, "sources": sources, "targets": targets });
    let mut guidelines = Vec::new();
    for guideline in &mapping.guidelines {
        for (by_heading_only, relationship) in [(false, "superset-of"), (true, "intersects-with")] {
            let targets: Vec<Value> = mapping
                .provisions_of_guideline(guideline.number)
                .filter(|provision| provision.by_heading_only == by_heading_only)
                .map(|provision| item(control(NEWEST, &provision.id)))
                .collect();
            if !targets.is_empty() {
                let source = item(control("cop", &guideline.number.to_string()));
                guidelines.push(map(
                    &format!("cop {} {relationship}", guideline.number),
                    relationship,
                    &[source],
                    &targets,
                ));
            }
        }
    }
    let versions: Vec<Value> = mapping
        .provisions_of(OLDER)
        .filter_map(|provision| {
            let targets: Vec<Value> = provision
                .near
                .iter()
                .map(|near| item(control(NEWEST, near)))
                .collect();
            let source = item(control(OLDER, &provision.id));
            Some(map(
                &format!("v2 {}", provision.id),
                provision.relationship?.in_oscal(),
                &[source],
                &targets,
            ))
        })
        .collect();
    let resource = |href: &str| json!({ "type": "catalog", "href": href });
    json!({
        "uuid": "",
        "metadata": metadata(mapping, "UK Code of Practice and ETSI EN 303 645: how they relate",
            "A judgement of the bydesign project, by what guidelines and provisions ask for; nothing is to be inferred from what is not mapped."),
        "provenance": {
            "method": "human",
            "matching-rationale": "functional",
            "status": "complete",
            "mapping-description": "Guidelines to the provisions under their headings: superset where the guideline has a sentence for it, intersection where only its heading covers it. \
                                    Version 2.1.1 to version 3.1.3 by what changed.",
        },
        "mappings": [
            { "uuid": id("mapping cop"), "source-resource": resource(COP), "target-resource": resource(EN), "maps": guidelines },
            { "uuid": id("mapping versions"), "source-resource": resource(EN), "target-resource": resource(EN), "maps": versions },
        ],
    })
}
