use bydesign::credential::{Device, OwnerSet, Provisioned};

fn serve<D>(device: Device<OwnerSet, D>) {
    drop(device);
}

fn skip<D>(device: Device<Provisioned, D>) {
    serve(device);
}

fn main() {}
