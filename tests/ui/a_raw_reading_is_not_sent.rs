use bydesign::telemetry::{Clamped, ConsentClass, Gate, Purpose, Raw, Recipient, Retention, Time};

const CLASS: ConsentClass = ConsentClass::new(1, "comfort");
const WHY: Purpose = Purpose::new(1, "heating", "To be warm.", &CLASS);
const US: Recipient = Recipient { name: "Us", role: "maker" };

bydesign::report! {
    /// How warm.
    pub struct Warm {
        report: 1, "warm", version 1;
        class: CLASS;
        bytes: 16;
        /// Temperature.
        temperature: i32 {
            purpose: WHY,
            treatment: Clamped = Clamped::between(0, 40),
            retention: Retention::Days(1),
            recipient: US,
        }
    }
}

bydesign::declaration! {
    /// All of it.
    pub struct Product: "Product", version 1 { classes: [CLASS], purposes: [WHY], reports: [Warm] }
}

fn main() {}

fn misuse(
    store: &mut bydesign::store::Store<impl bydesign::flash::NeverPends, impl bydesign::store::Memory>,
    random: &mut impl bydesign::telemetry::TryCryptoRng,
) {
    let reading = Raw::new(21);
    let _ = Gate::<Product>::new().submit(store, reading, Time::of(0), random);
}
