//! How often a baseline cries wolf, and how soon it notices an attack.

use bydesign::telemetry::Baseline;
use chacha20::rand_core::Rng;

use crate::support::random;

/// How many of so many chances came true.
fn events(source: &mut impl Rng, chances: u32, per_mille: u32) -> u32 {
    (0..chances)
        .filter(|_| source.next_u32() % 1000 < per_mille)
        .count() as u32
}

#[test]
fn a_year_of_usual_hours_raises_few_alarms_and_each_attack_is_noticed_in_its_first_hour() {
    let mut source = random(1);
    for (chances, per_mille, attack) in [(10, 20, 15), (20, 50, 20), (100, 50, 40), (200, 200, 200)] {
        let mut baseline = Baseline::new();
        let (mut alarms, mut missed) = (0, 0);
        for hour in 0..8760 {
            // Nights are quieter.
            let chances = if hour % 24 < 7 { chances / 4 } else { chances };
            let usual = events(&mut source, chances, per_mille);
            if hour % 500 == 499 {
                // Somebody tries passwords.
                missed += u32::from(!baseline.clone().observe(usual + attack).is_unusual());
            }
            alarms += u32::from(baseline.observe(usual).is_unusual());
        }
        assert!(alarms <= 9, "{chances} at {per_mille}: {alarms} alarms in a year");
        assert_eq!(missed, 0, "{chances} at {per_mille}");
    }
}
