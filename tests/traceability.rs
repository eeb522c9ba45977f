//! The mapping holds together: every guideline and provision is decided, every requirement has code and a test that cite it word for word, every citation stands on
//! something; and the claims that are compiled in are those of the mapping.
//!
//! The checks, and each way to rot that they find, are in the package `mapping` (`mapping/src/trace.rs`, `mapping/src/trace/tests.rs`). `cargo xtask trace` runs the same.
//!
//! What this cannot see: whether the cited test runs the cited code, and whether it would fail if the code were wrong. `cargo xtask assure` looks at that.

use std::collections::BTreeSet;
use std::path::Path;

use bydesign::claims::compiled_in;
use bydesign::guideline::{Framework, GUIDELINES, Guideline, PROVISIONS, Provision, Relation};
use bydesign_mapping::{Decision, Mapping, NEWEST, trace};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn mapping() -> Mapping {
    Mapping::read(root()).expect("the inputs of the mapping")
}

const fn relation(decision: Decision) -> Relation {
    match decision {
        Decision::Implements => Relation::Implements,
        Decision::Supports => Relation::Supports,
        Decision::Documents => Relation::Documents,
        Decision::OutOfReach => Relation::OutOfReach,
        Decision::NotApplicable => Relation::NotApplicable,
    }
}

#[test]
fn every_requirement_has_code_and_a_test_that_cite_it_and_every_provision_a_decision() {
    let flaws: Vec<String> = trace(root())
        .expect("readable")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(flaws.is_empty(), "{} flaws:\n{}", flaws.len(), flaws.join("\n"));
}

#[test]
fn the_claims_that_are_compiled_in_are_those_of_the_requirements() {
    let mapping = mapping();
    let mut claimed = BTreeSet::new();
    for of in compiled_in() {
        for claim in of.claims {
            let provision = mapping.provision(NEWEST, claim.provision).expect("a provision");
            assert_eq!(
                claim.relation,
                relation(provision.decision),
                "{}",
                claim.provision
            );
            assert_eq!(claim.provision().map(|found| found.id), Some(claim.provision));
            claimed.extend(
                claim
                    .requirements
                    .iter()
                    .map(|id| (of.primitive, claim.provision, *id)),
            );
        }
    }
    // From the document, and not by way of what the claims are made of.
    let mut served = BTreeSet::new();
    for requirement in &mapping.requirements {
        let primitive = mapping.primitive_of(&requirement.id).expect("a primitive");
        served.extend(
            requirement
                .provisions
                .iter()
                .map(|id| (primitive.id.as_str(), id.as_str(), requirement.id.as_str())),
        );
    }
    assert_eq!(claimed, served);
    assert!(served.len() > 100, "{}", served.len());
}

#[test]
fn the_table_in_the_crate_is_that_of_the_catalogue() {
    let mapping = mapping();
    assert_eq!(
        (GUIDELINES.len(), PROVISIONS.len()),
        (13, mapping.provisions.len())
    );
    for guideline in &mapping.guidelines {
        let found = Guideline::find(guideline.number).expect("there");
        assert_eq!(
            (found.title, found.relation),
            (guideline.title.as_str(), relation(guideline.decision))
        );
    }
    for provision in mapping.provisions_of(NEWEST) {
        let found = Provision::find(Framework::En303645V3, &provision.id).expect("there");
        assert_eq!(
            (found.relation, found.reason),
            (relation(provision.decision), provision.reason.as_str())
        );
        assert_eq!(found.duties, provision.duties);
    }
    assert_eq!(Provision::find(Framework::En303645V2, "5.13-1A"), None);
}
