use bydesign::credential::Accepted;

fn main() {
    let _password = Accepted("admin");
}
