//! A device on an nRF52840: first boot with what the factory made or with a code of its own, an owner behind a limiter, their items, reports
//! that they agreed to, and a button that erases.
//!
//! ```text
//!  nrf52840 (this file)           parts, tasks, the button
//!    household                    what an owner does, line by line
//!    device · door                a start: store, limiter, owner
//!    console · part · fault       serial line, flash and root key, what went wrong
//!  bydesign                       async faces
//!  embassy-nrf                    Nvmc · Rng · Uarte · time driver
//! ```
//!
//! Never run in CI: no emulator that is at hand has this part's flash controller.
#![no_std]
#![no_main]

mod console;
#[allow(dead_code, unreachable_pub)]
#[path = "../../../examples/lifecycle/declaration.rs"]
mod declaration;
mod device;
mod door;
mod fault;
mod household;
mod part;

use core::panic::PanicInfo;

use bydesign::credential::Block;
use bydesign::erase::Scope;
use embassy_executor::Spawner;
use embassy_futures::join::join;
use embassy_futures::select::{Either, select};
use embassy_nrf::gpio::{Input, Pull};
use embassy_nrf::nvmc::Nvmc;
use embassy_nrf::rng::Rng;
use embassy_nrf::uarte::{self, Uarte};
use embassy_nrf::{bind_interrupts, mode, peripherals};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::mutex::Mutex;
use embassy_time::{Duration, Timer, with_timeout};
use static_cell::ConstStaticCell;

use console::{Console, Typed};
use fault::{Fault, during};
use household::Home;

bind_interrupts!(struct Interrupts {
    UARTE0 => uarte::InterruptHandler<peripherals::UARTE0>;
});

/// Its bits come from noise, one by one, and their bias is corrected.
pub(crate) type Random = Rng<'static, mode::Blocking>;
pub(crate) type Blocks = [Block; 32];
type Shared<'a> = Mutex<NoopRawMutex, Home<'a>>;

/// Memory for Argon2, too large for a stack.
static BLOCKS: ConstStaticCell<Blocks> = ConstStaticCell::new([const { Block::new() }; 32]);
/// So long the button is held by somebody who means it.
const HELD: Duration = Duration::from_secs(3);
/// Between two steps of upkeep others have their turn: one takes up to 85 ms of an erase, in which the core stands still.
const BETWEEN_STEPS: Duration = Duration::from_millis(20);
const BETWEEN_UPKEEPS: Duration = Duration::from_secs(60);

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let parts = embassy_nrf::init(embassy_nrf::config::Config::default());
    let random = Rng::new_blocking(parts.RNG);
    random.set_bias_correction(true);
    let serial = Uarte::new(
        parts.UARTE0,
        parts.P0_08,
        parts.P0_06,
        Interrupts,
        uarte::Config::default(),
    );
    let mut console = Console::new(serial);
    let button = Input::new(parts.P0_11, Pull::Up);
    if let Err(fault) = live(Nvmc::new(parts.NVMC), random, button, &mut console).await {
        console.say(format_args!("{}", fault.words())).await;
    }
    // A device that starts again and again wears its flash, and tells nobody what is wrong.
    core::future::pending().await
}

async fn live(
    controller: Nvmc<'static>,
    mut random: Random,
    mut button: Input<'static>,
    console: &mut Console,
) -> Result<(), Fault> {
    let flash = part::flash(controller);
    let blocks = BLOCKS.take();
    let (device, door) = device::start(&flash, &mut random, blocks, console).await?;
    let mut home = Home {
        device,
        door,
        random,
        blocks,
        owner: None,
        began: None,
    };
    home.count_start().await?;
    let shared = Shared::new(home);
    let serving = join(serve(&shared, console), keep_room(&shared));
    match select(wait_until_held(&mut button), serving).await {
        Either::First(()) => {}
        Either::Second((served, kept)) => return served.and(kept),
    }
    let home = shared.into_inner();
    reset(home, console).await?;
    // The device has no owner any more: everything begins anew.
    cortex_m::peripheral::SCB::sys_reset()
}

/// Whatever goes wrong with a line, the owner is told, and may try another.
async fn serve(shared: &Shared<'_>, console: &mut Console) -> Result<(), Fault> {
    let mut typed = Typed::new();
    loop {
        console.read(&mut typed).await;
        if let Err(fault) = shared.lock().await.obey(&typed, console).await {
            console.say(format_args!("{}", fault.words())).await;
        }
    }
}

/// What puts would otherwise do on the way is done when there is time.
async fn keep_room(shared: &Shared<'_>) -> Result<(), Fault> {
    loop {
        let is_more = {
            let Home { device, random, .. } = &mut *shared.lock().await;
            device
                .store()
                .maintain(1, random)
                .await
                .map_err(during("upkeep"))?
        };
        Timer::after(if is_more { BETWEEN_STEPS } else { BETWEEN_UPKEEPS }).await;
    }
}

/// Somebody in the room, whoever it is: a factory reset needs no password, and gives nothing away.
async fn wait_until_held(button: &mut Input<'static>) {
    loop {
        button.wait_for_low().await;
        if with_timeout(HELD, button.wait_for_high()).await.is_err() {
            return;
        }
    }
}

/// A factory reset. What power cuts short is completed at the next start.
async fn reset(mut home: Home<'_>, console: &mut Console) -> Result<(), Fault> {
    let mut eraser = device::eraser()?;
    let store = home.device.store();
    let plan = eraser
        .plan_async(store, Scope::FactoryReset)
        .await
        .map_err(during("plan"))?;
    console.say(format_args!("{plan}")).await;
    let report = eraser
        .carry_out_async(store, plan, &mut home.random)
        .await
        .map_err(during("erasure"))?;
    if report.is_complete() && report.store.verified {
        console.say(format_args!("done, erasure {}", report.number)).await;
        Ok(())
    } else {
        Err(during("erasure")("it is not complete"))
    }
}

#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
