fn main() {
    let _key = bydesign::credential::items::OWNER;
}
