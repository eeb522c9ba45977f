use bydesign::credential::factory::{Issued, Sources};

fn sellable(tests: Sources, issued: Issued) -> (Sources, Issued) {
    let sources = Sources {
        test_seed: None,
        ..tests
    };
    let issued = Issued {
        for_tests: false,
        ..issued
    };
    (sources, issued)
}

fn main() {}
