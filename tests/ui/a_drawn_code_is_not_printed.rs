use bydesign::credential::CodeWindow;

fn print(window: &CodeWindow<8>) {
    println!("{window:?}");
}

fn main() {}
