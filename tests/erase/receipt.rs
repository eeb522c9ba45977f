//! Receipts: what they say, that nobody else could have signed them, and that they fit.

use crate::support;

use bydesign::erase::{
    Area, AreaFailed, Attester, Callback, Cleared, DeviceInfo, Eraser, LONGEST_RECEIPT, Level, Media, Qr,
    QrMemory, ReceiptError, Report, Residual, Scope,
};
use bydesign::secret::Secret;
use bydesign::store::Class;
use ed25519_dalek::{Signature, VerifyingKey};
use minicbor::Decoder;
use support::{LABEL, Memory, Nor, Part, format, random, root_key};

const SEED: [u8; 32] = *b"a seed that only this test knows";
const DEVICE: DeviceInfo<'static> = DeviceInfo {
    manufacturer: "Maker & Söhne",
    model: "Lamp \"2\"",
    serial: "L\\17\u{7}",
};

/// The report of a factory reset with so many areas besides the store.
fn report(areas: &mut [&mut dyn Area]) -> Report {
    let mut part = Nor::<4, 1024>::new(10 * 1024);
    let mut store = format(&mut part, 1);
    store
        .put_bytes(Class::User, "diary", b"a private thing", &mut random(2))
        .expect("puts");
    drop(store);
    let mut eraser = Eraser::new(areas).expect("areas").on(Media::RawFlash);
    let (mut store, _) = eraser
        .mount(part.medium(), Memory::new(), &root_key(), LABEL, &mut random(3))
        .expect("mounts");
    let plan = eraser.plan(&mut store, Scope::FactoryReset).expect("plans");
    eraser
        .carry_out(&mut store, plan, &mut random(4))
        .expect("erases")
}

fn cleared() -> Cleared {
    Cleared {
        level: Level::Delegated,
        verified: true,
        residual: Residual::Unknown,
    }
}

/// Protected header, payload and signature or code of a receipt.
fn parts(receipt: &[u8]) -> (u64, Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut decoder = Decoder::new(receipt);
    let tag = decoder.tag().expect("a tag").as_u64();
    assert_eq!(decoder.array().ok(), Some(Some(4)));
    let protected = decoder.bytes().expect("protected").to_vec();
    decoder.skip().expect("unprotected");
    let payload = decoder.bytes().expect("payload").to_vec();
    let proof = decoder.bytes().expect("signature").to_vec();
    assert_eq!(decoder.position(), receipt.len(), "nothing behind it");
    (tag, protected, payload, proof)
}

fn signed(context: &str, protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = [0; 1024];
    let mut encoder = minicbor::Encoder::new(minicbor::encode::write::Cursor::new(&mut bytes[..]));
    encoder
        .array(4)
        .and_then(|encoder| encoder.str(context))
        .and_then(|encoder| encoder.bytes(protected))
        .and_then(|encoder| encoder.bytes(&[]))
        .and_then(|encoder| encoder.bytes(payload))
        .expect("fits");
    let len = encoder.writer().position();
    bytes[..len].to_vec()
}

//= compliance/requirements.md#erase-6
//= type=test
//# A receipt MUST be signed by the device's identity or carry a code under a shared key, over all that it says.
#[test]
fn a_receipt_is_signed_over_every_byte_that_it_says() {
    let report = report(&mut []);
    let seed = Secret::new(SEED);
    let mut out = [0; LONGEST_RECEIPT];
    let len = report
        .receipt(&DEVICE, Attester::Identity(&seed), &mut out)
        .expect("fits");
    let (tag, protected, payload, signature) = parts(&out[..len]);
    assert_eq!((tag, &protected[..]), (18, &[0xa1, 0x01, 0x27][..]));
    let key = VerifyingKey::from_bytes(&Attester::public_key(&seed)).expect("a key");
    let signature = Signature::from_slice(&signature).expect("64 bytes");
    let verify = |payload: &[u8]| {
        key.verify_strict(&signed("Signature1", &protected, payload), &signature)
            .is_ok()
    };
    assert!(verify(&payload));
    for at in 0..payload.len() {
        let mut changed = payload.clone();
        changed[at] ^= 1;
        assert!(!verify(&changed), "byte {at}");
    }
}

#[test]
fn a_receipt_under_a_shared_key_is_another_under_another_key_or_of_another_report() {
    let report = report(&mut []);
    let mut codes = Vec::new();
    let mut other = report;
    other.number = 2;
    for (report, key) in [(&report, SEED), (&report, [7; 32]), (&other, SEED)] {
        let mut out = [0; LONGEST_RECEIPT];
        let len = report
            .receipt(&DEVICE, Attester::SharedKey(&Secret::new(key)), &mut out)
            .expect("fits");
        let (tag, protected, _, code) = parts(&out[..len]);
        assert_eq!(
            (tag, &protected[..], code.len()),
            (17, &[0xa1, 0x01, 0x05][..], 32)
        );
        assert!(!codes.contains(&code));
        codes.push(code);
    }
}

//= compliance/requirements.md#erase-7
//= type=test
//# A receipt MUST NOT hold a name or value of an item, the number of a user, or any ciphertext.
#[test]
fn a_receipt_names_areas_and_counts_and_nothing_personal() {
    let mut log = Callback::new("event log", |_| Ok(cleared()));
    let mut radio = Callback::new("radio", |_| Err(AreaFailed));
    let report = report(&mut [&mut log, &mut radio]);
    let mut out = [0; LONGEST_RECEIPT];
    let len = report
        .receipt(&DEVICE, Attester::Identity(&Secret::new(SEED)), &mut out)
        .expect("fits");
    let (_, _, payload, _) = parts(&out[..len]);
    let holds = |text: &str| {
        payload
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(holds("event log") && holds("radio") && holds("store") && holds("L\\17"));
    assert!(!holds("diary") && !holds("private"));

    let mut decoder = Decoder::new(&payload);
    assert_eq!(decoder.map().ok(), Some(Some(12)));
    let mut strings = Vec::new();
    while decoder.position() < payload.len() {
        let kind = decoder.datatype().expect("a type");
        // Counts, booleans and texts that the firmware gave: no byte string, in which a ciphertext could stand.
        assert_ne!(kind, minicbor::data::Type::Bytes);
        match kind {
            minicbor::data::Type::String => strings.push(decoder.str().expect("text").to_owned()),
            minicbor::data::Type::Array => drop(decoder.array().expect("an array")),
            _ => decoder.skip().expect("a number"),
        }
    }
    assert_eq!(
        strings,
        [
            concat!("bydesign ", env!("CARGO_PKG_VERSION")),
            DEVICE.manufacturer,
            DEVICE.model,
            DEVICE.serial,
            "store",
            "purge",
            "event log",
            "radio",
            "self-attested",
        ]
    );
}

#[test]
fn the_longest_receipt_fits_and_one_byte_less_than_it_takes_is_refused() {
    let long = "m".repeat(64);
    let device = DeviceInfo {
        manufacturer: &long,
        model: &long,
        serial: &long,
    };
    let names = ["1", "2", "3", "4", "5", "6", "7", "8"].map(|digit| &*format!("{digit:a<16}").leak());
    let mut areas = names.map(|name| Callback::new(name, |_| Ok(cleared())));
    let mut areas: Vec<&mut dyn Area> = areas.iter_mut().map(|area| area as &mut dyn Area).collect();
    let report = report(&mut areas);
    // The largest numbers that there are.
    let mut report = report;
    (report.number, report.time) = (u32::MAX, Some(u64::MAX));
    for amount in [&mut report.gone, &mut report.left] {
        (amount.items, amount.bytes) = (u32::MAX, u32::MAX);
    }
    (report.classes, report.pages) = (u32::MAX, u32::MAX);
    let seed = Secret::new(SEED);
    for attester in [Attester::Identity(&seed), Attester::SharedKey(&seed)] {
        let mut out = [0; LONGEST_RECEIPT];
        let len = report.receipt(&device, attester, &mut out).expect("fits");
        assert!(len + 24 <= LONGEST_RECEIPT, "{len}");
        for less in [0, 1, len / 2, len - 1] {
            assert_eq!(
                report.receipt(&device, attester, &mut out[..less]),
                Err(ReceiptError::OutputTooSmall),
                "{less} of {len}"
            );
        }
        assert_eq!(report.receipt(&device, attester, &mut out[..len]), Ok(len));
    }
    let longer = "m".repeat(65);
    let device = DeviceInfo {
        serial: &longer,
        ..device
    };
    let mut out = [0; 2 * LONGEST_RECEIPT];
    let refused = report.receipt(&device, Attester::Identity(&seed), &mut out);
    assert_eq!(refused, Err(ReceiptError::Text));
}

#[test]
fn text_and_json_say_what_the_receipt_says_whatever_the_serial_holds() {
    let mut radio = Callback::new("radio", |_| Err(AreaFailed));
    let report = report(&mut [&mut radio]);
    let text = report.text(&DEVICE).to_string();
    for expected in [
        "Erasure 1: factory reset",
        "Time: the device has no clock",
        "Gone: 1 items",
        "- store: key destroyed, verified, \"purge\" in the words of NIST SP 800-88; left: sealed records without a key",
        "- radio: FAILED, to be tried again",
        "Canary: opened before, fails to open now",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    let json = report.json(&DEVICE).to_string();
    assert!(
        json.contains(r#""model":"Lamp \"2\"","serial":"L\\17\u0007","scope":"factory reset""#),
        "{json}"
    );
    assert!(
        json.contains(r#"{"name":"radio","level":null,"verified":false,"left":"unknown","sp800_88":null}"#)
    );
    let depth = json.chars().fold(0i32, |depth, character| match character {
        '{' | '[' => depth + 1,
        '}' | ']' => depth - 1,
        _ => depth,
    });
    assert_eq!(depth, 0, "{json}");
}

//= compliance/requirements.md#erase-8
//= type=test
//# A receipt MUST NOT call a key's destruction a purge where it was not seen, or where copies may be left.
#[test]
fn the_word_of_sp_800_88_is_never_better_than_medium_look_and_remains() {
    let mut purges = 0;
    for level in [
        Level::KeyDestroyed,
        Level::Overwritten,
        Level::PageErased,
        Level::Delegated,
    ] {
        for media in [Media::RawFlash, Media::Managed] {
            for verified in [false, true] {
                for residual in [
                    Residual::Nothing,
                    Residual::SealedRecords,
                    Residual::HiddenCopies,
                    Residual::Unknown,
                ] {
                    let cleared = Cleared {
                        level,
                        verified,
                        residual,
                    };
                    match cleared.sanitization(media) {
                        Some("purge") => {
                            purges += 1;
                            assert_eq!(
                                (level, media, verified),
                                (Level::KeyDestroyed, Media::RawFlash, true)
                            );
                            assert!(matches!(residual, Residual::Nothing | Residual::SealedRecords));
                        }
                        word => {
                            assert_eq!(word.is_none(), level == Level::Delegated, "{cleared:?}: {word:?}");
                        }
                    }
                }
            }
        }
    }
    assert_eq!(purges, 2);
}

#[test]
fn a_receipt_as_a_qr_code_is_read_by_another_library_byte_for_byte() {
    let long = "m".repeat(64);
    let devices = [
        DEVICE,
        DeviceInfo {
            manufacturer: &long,
            model: &long,
            serial: &long,
        },
    ];
    let names = ["1", "2", "3", "4", "5", "6", "7", "8"].map(|digit| &*format!("{digit:a<16}").leak());
    let mut areas = names.map(|name| Callback::new(name, |_| Ok(cleared())));
    let mut areas: Vec<&mut dyn Area> = areas.iter_mut().map(|area| area as &mut dyn Area).collect();
    let report = report(&mut areas);
    let seed = Secret::new(SEED);
    for device in devices {
        let mut out = [0; LONGEST_RECEIPT];
        let len = report
            .receipt(&device, Attester::Identity(&seed), &mut out)
            .expect("fits");
        let mut memory = QrMemory::new();
        let qr = Qr::of(&out[..len], &mut memory).expect("fits");
        // Four pixels a module, four modules of quiet zone.
        let side = (usize::from(qr.size()) + 8) * 4;
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
            let module = |at: usize| u16::try_from(at / 4).expect("small").checked_sub(4);
            match (module(x), module(y)) {
                (Some(x), Some(y)) if qr.is_dark(x, y) => 0,
                _ => 255,
            }
        });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code is found");
        let mut read = Vec::new();
        grids[0].decode_to(&mut read).expect("decodes");
        assert_eq!(read, out[..len]);
        // In a terminal: a line for two rows.
        let lines = qr.to_string().lines().count();
        assert_eq!(lines, (usize::from(qr.size()) + 8).div_ceil(2));
    }
    let mut memory = QrMemory::new();
    let too_long = [0; 2000];
    assert_eq!(
        Qr::of(&too_long, &mut memory).err(),
        Some(ReceiptError::OutputTooSmall)
    );
    assert_eq!(
        Qr::of(&too_long[..1000], &mut memory).err(),
        Some(ReceiptError::OutputTooSmall)
    );
}
