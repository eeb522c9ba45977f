use bydesign::paper::surface::{Port, Reach, Service, Surface};

const HTTPS: Port = Port::tcp(443, Reach::Network);
const SURFACE: Surface<'_> = Surface {
    interfaces: &[],
    services: &[
        Service { name: "page", why: "settings", ports: &[HTTPS] },
        Service { name: "updates", why: "updates", ports: &[HTTPS] },
    ],
    debug: &[],
}
.checked();

fn main() {
    println!("{}", SURFACE.services.len());
}
