//! Misuse that types must stop: each file in `tests/ui` is one, and must not compile for the reason that stands beside it.

#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
