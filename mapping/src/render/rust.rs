//! The mapping as Rust: `src/guideline/table.rs`, and the `CLAIMS` beside each primitive.
//!
//! ```text
//!  render
//!  rust   (this file)
//!  model
//! ```
//!
//! Documentation links both ways: each `CLAIMS` to the provisions it names, and the table of provisions to the `CLAIMS` that serve them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::{Decision, Mapping, NEWEST, Primitive, Relationship};

const HEAD: &str = "// Made by `cargo xtask mapping --write` from compliance/catalogue.toml and compliance/requirements.md: do not edit.\n";

/// The generated Rust files: path from the root, and text.
pub(super) fn rust_files(mapping: &Mapping) -> BTreeMap<String, String> {
    let mut files = BTreeMap::from([
        ("src/guideline/table.rs".to_owned(), table(mapping)),
        ("src/claims.rs".to_owned(), collected(mapping)),
    ]);
    for primitive in &mapping.primitives {
        let path = format!("src/{}/claims.rs", primitive.module.replace("::", "/"));
        files.insert(path, claims(mapping, primitive));
    }
    files
}

const fn relation(decision: Decision) -> &'static str {
    match decision {
        Decision::Implements => "Relation::Implements",
        Decision::Supports => "Relation::Supports",
        Decision::Documents => "Relation::Documents",
        Decision::OutOfReach => "Relation::OutOfReach",
        Decision::NotApplicable => "Relation::NotApplicable",
    }
}

const fn relationship(relationship: Option<Relationship>) -> &'static str {
    match relationship {
        None => "None",
        Some(Relationship::EqualTo) => "Some(Relationship::EqualTo)",
        Some(Relationship::EquivalentTo) => "Some(Relationship::EquivalentTo)",
        Some(Relationship::SubsetOf) => "Some(Relationship::SubsetOf)",
        Some(Relationship::SupersetOf) => "Some(Relationship::SupersetOf)",
        Some(Relationship::IntersectsWith) => "Some(Relationship::IntersectsWith)",
    }
}

fn framework(id: &str) -> &'static str {
    match id {
        "en303645-v3.1.3" => "Framework::En303645V3",
        "en303645-v2.1.1" => "Framework::En303645V2",
        "psti-2023" => "Framework::Psti2023",
        "cra-annex-i" => "Framework::CraAnnexI",
        "en18031" => "Framework::En18031",
        "nistir-8425" => "Framework::NistIr8425",
        "sp800-88r2" => "Framework::Sp80088R2",
        // Does not compile, and says why.
        _ => "Framework::HasNoName",
    }
}

/// A list of texts as a Rust array.
fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    format!("&[{}]", quoted.join(", "))
}

fn table(mapping: &Mapping) -> String {
    let mut out =
        format!("//! The guidelines and provisions: the data behind [`guideline`](super).\n{HEAD}\n");
    out += "use super::{Framework, Guideline, Provision, Relation, Relationship};\n\n";
    out += "/// The 13 guidelines, in their order.\n#[rustfmt::skip]\npub static GUIDELINES: [Guideline; 13] = [\n";
    for guideline in &mapping.guidelines {
        let _ = writeln!(
            out,
            "    Guideline {{\n        number: {},\n        title: {:?},\n        asks: {:?},\n        relation: {},\n        sentence: {:?},\n        duties: {},\n    }},",
            guideline.number,
            guideline.title,
            guideline.asks,
            relation(guideline.decision),
            guideline.sentence,
            list(&guideline.duties),
        );
    }
    out += "];\n\n/// The provisions of all frameworks, in their order.\n///\n/// Those of EN 303 645 V3.1.3 that are served, and by which `CLAIMS`:\n///\n/// | provision | how far | by |\n/// | --- | --- | --- |\n";
    for provision in mapping.provisions_of(NEWEST) {
        let by: Vec<&Primitive> = mapping
            .primitives
            .iter()
            .filter(|primitive| {
                provision
                    .requirements
                    .iter()
                    .any(|id| primitive.requirements.contains(id))
            })
            .collect();
        if by.is_empty() {
            continue;
        }
        // Links into modules that are compiled by a feature would dangle without it.
        let links: Vec<String> = by
            .iter()
            .map(|primitive| match primitive.features.as_slice() {
                [] => format!("[`{0}`](crate::{0}::CLAIMS)", primitive.module),
                [feature, ..] => format!("`{}` (feature `{feature}`)", primitive.module),
            })
            .collect();
        let _ = writeln!(
            out,
            "/// | {} | {} | {} |",
            provision.id,
            provision.decision.in_words(),
            links.join(", ")
        );
    }
    let _ = writeln!(
        out,
        "#[rustfmt::skip]\npub static PROVISIONS: [Provision; {}] = [",
        mapping.provisions.len()
    );
    for provision in &mapping.provisions {
        let guidelines: Vec<String> = provision.guidelines.iter().map(u8::to_string).collect();
        let _ = writeln!(
            out,
            "    Provision {{\n        framework: {},\n        id: {:?},\n        status: {:?},\n        guidelines: &[{}],\n        summary: {:?},\n        relation: {},\n        reason: {:?},\n        duties: {},\n        near: {},\n        relationship: {},\n    }},",
            framework(&provision.framework),
            provision.id,
            provision.status,
            guidelines.join(", "),
            provision.summary,
            relation(provision.decision),
            provision.reason,
            list(&provision.duties),
            list(&provision.near),
            relationship(provision.relationship),
        );
    }
    out + "];\n"
}

/// The `CLAIMS` of one primitive.
fn claims(mapping: &Mapping, primitive: &Primitive) -> String {
    let served = |provision: &crate::Provision| -> Vec<String> {
        let ids = provision
            .requirements
            .iter()
            .filter(|id| primitive.requirements.contains(id));
        ids.cloned().collect()
    };
    let mut out = format!("//! What [`{0}`](crate::{0}) claims.\n{HEAD}\n", primitive.module);
    out += "use crate::guideline::{Claim, Claims, Relation};\n\n";
    let _ = writeln!(
        out,
        "/// {}: the provisions of EN 303 645 V3.1.3 that it serves, and by which requirements.",
        primitive.title
    );
    out +=
        "///\n/// | provision | asks for | how far the library goes | by |\n/// | --- | --- | --- | --- |\n";
    for provision in mapping.provisions_of(NEWEST) {
        let by = served(provision);
        if !by.is_empty() {
            let _ = writeln!(
                out,
                "/// | {} | {} | {} | {} |",
                provision.id,
                provision.summary,
                provision.decision.in_words(),
                by.join(", ")
            );
        }
    }
    out += "///\n/// What the words mean is said at [`Relation`], and who completes each provision at [`PROVISIONS`](crate::guideline::PROVISIONS).\n";
    let _ = writeln!(
        out,
        "#[rustfmt::skip]\npub const CLAIMS: Claims = Claims::new({:?}, &[",
        primitive.id
    );
    for provision in mapping.provisions_of(NEWEST) {
        let by = served(provision);
        if !by.is_empty() {
            let _ = writeln!(
                out,
                "    Claim::new({:?}, {}, {}),",
                provision.id,
                relation(provision.decision),
                list(&by)
            );
        }
    }
    out + "]);\n"
}

/// All of them, as far as they are compiled in.
fn collected(mapping: &Mapping) -> String {
    let mut out = String::from(
        "//! What is compiled into this program, and no more: the `CLAIMS` of each primitive, collected under the same features.\n",
    );
    out += "//!\n//! ```\n//! for of in bydesign::claims::compiled_in() {\n//!     for claim in of.claims {\n//!         println!(\"{}: EN 303 645 {} by {:?}\", of.primitive, claim.provision, claim.requirements);\n//!     }\n//! }\n//! ```\n//!\n";
    out += "//! ```text\n//!  claims   (this file)\n//!  store · erase · credential · telemetry · secret · flash      CLAIMS beside each\n//!  guideline\n//! ```\n";
    out += HEAD;
    out += "\nuse crate::guideline::Claims;\n\n/// The claims of each primitive that is compiled in.\n#[must_use]\n#[rustfmt::skip]\npub const fn compiled_in() -> &'static [Claims] {\n    &[\n";
    for primitive in &mapping.primitives {
        for feature in &primitive.features {
            let _ = writeln!(out, "        #[cfg(feature = {feature:?})]");
        }
        let _ = writeln!(out, "        crate::{}::CLAIMS,", primitive.module);
    }
    out + "    ]\n}\n"
}
