//! A support period has an end, which is said and not taken back.

use bydesign::paper::{Date, Standing, SupportPeriod};

const AT_FIRST: SupportPeriod<'_> =
    SupportPeriod::new("Example Lamp L1", Date::on(2026, 11, 1), Date::on(2031, 12, 31));

//= compliance/requirements.md#paper-4
//= type=test
//# A support period MUST NOT end before it begins, and an end that was stated MUST NOT become an earlier one.
#[test]
fn a_period_that_ends_too_early_or_earlier_than_stated_is_refused() {
    let begin = Date::on(2026, 11, 1);
    assert_eq!(
        SupportPeriod::checked("Lamp", begin, Date::on(2026, 10, 31)),
        None
    );
    assert_eq!(SupportPeriod::checked("", begin, Date::on(2027, 10, 31)), None);
    assert!(SupportPeriod::checked("Lamp", begin, begin).is_some());

    let extended = AT_FIRST.extended_to(Date::on(2032, 1, 1));
    assert_eq!((extended.from(), extended.until()), (begin, Date::on(2032, 1, 1)));
    assert_eq!(AT_FIRST.extended_to(AT_FIRST.until()), AT_FIRST);
    // In a constant the compiler refuses it: tests/ui.
    let shortened = std::panic::catch_unwind(|| AT_FIRST.extended_to(Date::on(2031, 12, 30)));
    assert!(shortened.is_err());
    let backwards = std::panic::catch_unwind(|| SupportPeriod::new("Lamp", begin, Date::on(2026, 10, 31)));
    assert!(backwards.is_err());
}

//= compliance/requirements.md#paper-5
//= type=test
//# What a support period says MUST name the product and the day on which it ends, and MUST tell whether a given day is past it.
#[test]
fn the_statement_names_the_product_and_the_end_and_a_day_is_before_or_past_it() {
    let period = AT_FIRST.published_at("https://example.com/support");
    assert_eq!(
        period.to_string(),
        "Example Lamp L1 gets security updates at least until 31 December 2031, that is for 5 years and 2 months from \
         1 November 2026. See https://example.com/support"
    );
    for (today, standing) in [
        (Date::on(2031, 11, 30), Standing::Supported { days_left: 31 }),
        (Date::on(2031, 12, 31), Standing::Supported { days_left: 0 }),
        (Date::on(2032, 1, 1), Standing::Ended { days_ago: 1 }),
        (Date::on(2033, 1, 1), Standing::Ended { days_ago: 367 }),
        (Date::on(2026, 10, 31), Standing::Supported { days_left: 1887 }),
    ] {
        assert_eq!(period.standing(today), standing, "{today}");
    }
}

#[test]
fn the_length_of_a_period_is_said_in_whole_months() {
    for (from, until, length) in [
        (Date::on(2026, 1, 1), Date::on(2026, 1, 1), "less than a month"),
        (Date::on(2026, 1, 1), Date::on(2026, 1, 31), "1 month"),
        (Date::on(2026, 1, 15), Date::on(2026, 3, 13), "1 month"),
        (Date::on(2026, 1, 15), Date::on(2026, 3, 14), "2 months"),
        (Date::on(2026, 1, 1), Date::on(2026, 12, 31), "1 year"),
        (Date::on(2026, 1, 1), Date::on(2028, 1, 30), "2 years"),
        (Date::on(2026, 1, 1), Date::on(2028, 1, 31), "2 years and 1 month"),
        (
            Date::on(0, 1, 1),
            Date::on(9999, 12, 31),
            "9999 years and 11 months",
        ),
    ] {
        let text = SupportPeriod::checked("Lamp", from, until).unwrap().to_string();
        assert!(text.contains(&format!("that is for {length} from")), "{text}");
    }
}
