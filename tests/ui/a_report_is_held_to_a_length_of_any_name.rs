use bydesign::telemetry::{Clamped, ConsentClass, Purpose, Recipient, Retention};

const MAX_BYTES: usize = 4;
const CLASS: ConsentClass = ConsentClass::new(1, "class");
const USE: Purpose = Purpose::new(1, "use", "To see how often it is used.", &CLASS);
const MAKER: Recipient = Recipient { name: "Maker", role: "maker" };

bydesign::report! {
    /// A day.
    pub struct Day {
        report: 1, "day", version 1;
        class: CLASS;
        bytes: MAX_BYTES;
        /// How often.
        often: u16 {
            purpose: USE,
            treatment: Clamped = Clamped::between(0, 1000),
            retention: Retention::Days(30),
            recipient: MAKER,
        }
    }
}

fn main() {}
