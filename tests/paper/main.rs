//! What a manufacturer publishes: its form, its dates, and whether the list of what is open is true.

mod security_txt;
mod sockets;
mod support;
mod surface;
