use bydesign::credential::limiter::{Limiter, Moment};
use bydesign::flash::NeverPends;
use bydesign::store::{Memory, Store};

fn attempt<M: NeverPends, I: Memory>(limiter: &mut Limiter<M>, store: &mut Store<M, I>) {
    let mut random = getrandom::SysRng;
    let first = limiter.attempt(store, Moment::Awake(0), &mut random);
    let second = limiter.attempt(store, Moment::Awake(0), &mut random);
    drop((first, second));
}

fn main() {}
