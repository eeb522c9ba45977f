use bydesign::credential::Accepted;

fn print(password: &Accepted<'_>) {
    println!("{password:?}");
}

fn main() {}
