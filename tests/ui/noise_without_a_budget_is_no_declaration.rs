use bydesign::telemetry::noise::BinaryResponse;
use bydesign::telemetry::{ConsentClass, Noisy, Purpose, Recipient, Retention};

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
        temperature: bool {
            purpose: WHY,
            treatment: Noisy<BinaryResponse> = Noisy::fresh(BinaryResponse::with_epsilon::<1, 1>()),
            retention: Retention::Days(1),
            recipient: US,
        }
    }
}

fn main() {}
