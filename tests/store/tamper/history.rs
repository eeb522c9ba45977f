//! Stores with a past: the image and the state after every acknowledged operation.

use bydesign::secret::RootKey;
use bydesign::store::{AnchorPolicy, MountError, Store};

use crate::support::operation::{self, Operation, Outcome, put};
use crate::support::register::Register;
use crate::support::{LABEL, Memory, Model, Part, ROOT, class, contents, random};

/// Whose store it is.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    root_key: [u8; 32],
    label: &'static str,
    /// What its values differ by from those of others.
    fill: u8,
    seed: u64,
    /// Held against a counter, which is moved at every change.
    counted: bool,
}

impl Owner {
    pub(crate) fn victim() -> Self {
        Self {
            root_key: ROOT,
            label: LABEL,
            fill: 0,
            seed: 1,
            counted: false,
        }
    }

    pub(crate) fn of_another_root_key() -> Self {
        let mut root_key = ROOT;
        root_key.reverse();
        Self {
            root_key,
            fill: 64,
            seed: 2,
            ..Self::victim()
        }
    }

    pub(crate) fn of_another_label() -> Self {
        Self {
            label: "other",
            fill: 128,
            seed: 3,
            ..Self::victim()
        }
    }

    pub(crate) fn of_the_same_key_and_label() -> Self {
        Self {
            fill: 192,
            seed: 4,
            ..Self::victim()
        }
    }

    pub(crate) fn counted(self) -> Self {
        Self {
            counted: true,
            ..self
        }
    }

    fn root_key(&self) -> RootKey {
        RootKey::new(self.root_key).expect("in no list")
    }

    /// Mounts, with the counter if the store is held against one.
    pub(crate) fn mount<'a, P: Part>(
        &self,
        part: &'a mut P,
        counter: &mut Register,
    ) -> Result<Store<P::Medium<'a>, Memory>, MountError> {
        let (medium, memory, key) = (part.medium(), Memory::new(), self.root_key());
        if self.counted {
            Store::mount_anchored(medium, memory, &key, self.label, counter)
        } else {
            Store::mount(medium, memory, &key, self.label)
        }
    }
}

/// The flash, and what the store held, when an operation had been acknowledged.
#[derive(Clone)]
pub(crate) struct Moment {
    pub(crate) image: Vec<u8>,
    pub(crate) state: Model,
    /// Where the counter stood.
    pub(crate) counter: u32,
}

#[derive(Clone)]
pub(crate) enum Step {
    Do(Operation),
    /// Puts a write-once item.
    Fix {
        class: u8,
        key: u8,
        fill: u8,
    },
}

/// Writes a store from the beginning. `plan` has the operations of each boot.
pub(crate) fn write<P: Part>(owner: &Owner, capacity: usize, plan: &[Vec<Step>]) -> Vec<Moment> {
    let mut part = P::new(capacity);
    let key = owner.root_key();
    let formatted = Store::format(
        part.medium(),
        Memory::new(),
        &key,
        owner.label,
        &mut random(owner.seed),
    );
    let mut store = formatted.expect("formats");
    let mut counter = Register::at(0);
    if owner.counted {
        let started = store.start_counter(&mut counter, &mut random(owner.seed + 1));
        started.expect("starts");
    }
    drop(store);
    let mut moments = vec![Moment {
        image: part.image().to_vec(),
        state: Model::new(),
        counter: counter.value,
    }];
    go_on::<P>(owner, &mut moments, plan, owner.seed);
    moments
}

/// Goes on from the last moment.
pub(crate) fn go_on<P: Part>(owner: &Owner, moments: &mut Vec<Moment>, plan: &[Vec<Step>], seed: u64) {
    for (boot, steps) in (0..).zip(plan) {
        let before = moments.last().expect("formatted").clone();
        // While a store runs nobody else can look at its medium: what it had done after so many operations, it does again.
        for count in 1..=steps.len() {
            let mut part = P::of_image(&before.image);
            let mut state = before.state.clone();
            let mut random = random(seed * 1000 + boot);
            let mut counter = Register::at(before.counter);
            let mut store = owner.mount(&mut part, &mut counter).expect("mounts");
            for step in &steps[..count] {
                match step {
                    Step::Do(operation) => {
                        let outcome = operation.run(&mut store, &mut random);
                        assert_eq!(outcome, Outcome::Done, "boot {boot}: {operation:?}");
                        state = operation.apply(&state);
                    }
                    Step::Fix {
                        class: number,
                        key,
                        fill,
                    } => {
                        let (name, value) = (operation::name(*key), operation::value(20, *fill));
                        store
                            .put_fixed_bytes(class(*number), &name, &value, &mut random)
                            .expect("fits");
                        state.insert((*number, name), value);
                    }
                }
                if owner.counted {
                    let anchored = store.anchor(&mut counter, AnchorPolicy::EveryChange, &mut random);
                    anchored.expect("anchors");
                }
            }
            assert_eq!(contents(&mut store), state, "boot {boot}");
            drop(store);
            moments.push(Moment {
                image: part.image().to_vec(),
                state,
                counter: counter.value,
            });
        }
    }
}

/// A past with everything in it: all classes, a user, write-once items, the empty and the longest name, values overwritten and
/// removed, classes erased, and pages turned over throughout.
pub(crate) fn eventful(owner: &Owner) -> Vec<Vec<Step>> {
    let mut fill = owner.fill;
    let mut next = || {
        fill = fill.wrapping_add(1);
        fill
    };
    let mut write = |class, key, len| Step::Do(put(class, key, len, next()));
    let fix = |class, key| Step::Fix {
        class,
        key,
        fill: owner.fill / 64 * 64 + 60,
    };
    let remove = |class, key| Step::Do(Operation::Remove { class, key });
    let erase_class = |class| Step::Do(Operation::EraseClass { class });
    let mut boots = vec![
        vec![fix(0, 1), write(1, 2, 40), write(2, 3, 30), write(3, 4, 35)],
        vec![write(4, 5, 25), write(1, 0, 10), write(1, 11, 50), remove(2, 3)],
        vec![write(1, 2, 60), erase_class(2), write(2, 6, 40), write(3, 1, 20)],
    ];
    for round in 0..6 {
        boots.push(vec![
            write(1, 2, 50),
            write(2, round % 3, 60),
            write(4, 5, 40 + u16::from(round)),
            remove(2, round % 3),
        ]);
    }
    boots.extend([
        vec![
            Step::Do(Operation::EraseItem { class: 4, key: 5 }),
            fix(1, 7),
            write(3, 3, 30),
        ],
        vec![
            Step::Do(Operation::EraseUser),
            write(3, 2, 45),
            write(2, 8, 30),
            write(2, 9, 20),
            write(4, 4, 50),
        ],
        vec![
            write(2, 8, 40),
            erase_class(4),
            write(1, 0, 12),
            write(2, 5, 33),
            Step::Do(Operation::Maintain { steps: 4 }),
        ],
        vec![write(4, 4, 30), remove(2, 9), write(2, 8, 25), write(1, 2, 44)],
    ]);
    boots
}

/// The same past with other values: records of the same kinds and lengths, in the same places.
pub(crate) fn alike(owner: &Owner) -> Vec<Vec<Step>> {
    let fill = owner.fill + 32;
    eventful(&Owner { fill, ..*owner })
}
