//! Misuse that types must stop: each file in `tests/ui` is one, and must not compile for the reason that stands beside it.

//= compliance/requirements.md#secret-3
//= type=test
//# A secret MUST NOT be printable or copyable, and MUST be compared in constant time only.
//= compliance/requirements.md#tele-1
//= type=test
//# A reading MUST NOT become sendable otherwise than through the treatment that is declared for its field.
#[test]
fn misuse_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
