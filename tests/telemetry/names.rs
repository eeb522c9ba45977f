//! What a product calls its constants is its own affair: a declaration takes them as they are.

use bydesign::telemetry::{Clamped, ConsentClass, Declaration, Purpose, Recipient, Report, Retention};

const MAX_BYTES: usize = 9;
const SCHEMA: ConsentClass = ConsentClass::new(1, "class");
const PURPOSE: Purpose = Purpose::new(3, "use", "To see how often it is used.", &SCHEMA);
const TREATMENT: Clamped = Clamped::between(0, 1000);
const REPORTS: Recipient = Recipient {
    name: "Maker",
    role: "maker",
};
const RULES: Retention = Retention::Days(30);

bydesign::report! {
    /// A day.
    pub(crate) struct Day {
        report: 1, "day", version 1;
        class: SCHEMA;
        bytes: MAX_BYTES;
        /// How often.
        often: u16 {
            purpose: PURPOSE,
            treatment: Clamped = TREATMENT,
            retention: RULES,
            recipient: REPORTS,
        }
    }
}
const CLASSES: ConsentClass = SCHEMA;
const PURPOSES: Purpose = PURPOSE;
bydesign::declaration! {
    /// A product.
    pub(crate) struct Product: "Product", version 1 {
        classes: [CLASSES],
        purposes: [PURPOSES],
        reports: [Day],
    }
}

#[test]
fn a_declaration_takes_constants_of_any_name() {
    assert_eq!(Day::SCHEMA.fields[0].purpose.number, PURPOSE.number);
    assert_eq!(Day::SCHEMA.class.rules.number, SCHEMA.rules.number);
    assert_eq!(Day::MAX_BYTES, 8);
    assert_eq!(Product::PURPOSES.len(), 1);
    assert_eq!(Product::REPORTS[0].name, "day");
}
