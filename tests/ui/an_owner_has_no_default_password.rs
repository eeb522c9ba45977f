use bydesign::credential::limiter::Proven;
use bydesign::credential::{Block, Cost, Device, Provisioned};
use bydesign::flash::NeverPends;
use bydesign::store::{Memory, Store};

fn set<S: NeverPends, I: Memory>(device: Device<Provisioned, Store<S, I>>, blocks: &mut [Block]) {
    let mut random = getrandom::SysRng;
    let _device = device.set_owner("admin", Proven::by_presence(), Cost::KIB_32, blocks, &mut random);
}

fn main() {}
