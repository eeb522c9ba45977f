use bydesign::paper::{Date, SupportPeriod};

const AT_FIRST: SupportPeriod<'_> = SupportPeriod::new("Lamp", Date::on(2026, 11, 1), Date::on(2031, 12, 31));
const SHORTER: SupportPeriod<'_> = AT_FIRST.extended_to(Date::on(2030, 12, 31));

fn main() {
    println!("{SHORTER}");
}
