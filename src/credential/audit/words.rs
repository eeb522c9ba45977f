//! Published defaults, words that people make passwords of, and rows of keys.
//!
//! ```text
//!  audit::published
//!  audit::words (this file)
//! ```
//!
//! Defaults are facts that vendors, botnets and researchers have published; the words are such as stand in every list of passwords.

/// Defaults of cameras, recorders, routers and printers, those that the Mirai botnet tried among them, and test codes of standards.
pub(super) const DEFAULTS: [&str; 8] = [
    // What Mirai and its descendants try.
    "xc3511 vizxv admin 888888 xmhdipc default juantech 123456 54321 support password root 12345 user pass admin1234 1111 smcadmin 666666 \
     1234 klv123 klv1234 zte521 hi3518 jvbzd anko zlxx. 7ujmko0vizxv 7ujmko0admin system ikwb dreambox realtek 00000000 1111111 meinsm tech \
     service supervisor guest 1234567890 123 xmhdpc juniper123 oelinux123 tsgoingon solokey hunt5759 huigu309 win1dows antslq hslwificam \
     ttnet e8ehome e8telnet cxlinux annie2012 changeme samsung hipc3518 ipcam_rt5350 swsbzkgn 20080826 taZz@23495859 zsun1188 grouter",
    // Routers and access points.
    "admin123 administrator adminadmin admin1 1234admin motorola wireless netgear linksys cisco ubnt mikrotik zyxel epicrouter conexant \
     telecomadmin admintelecom nimda highspeed comcast cable-docsis d0nt4g3tme w2402 articon sysadm atlantis belkin barricade smcadmin \
     airocon telus technicolor sagemcom arris broadcom public private speedxess draadloos sitecom michelangelo turnkey",
    // Cameras, recorders, printers, machines.
    "fliradmin ikwd 4321 9999 camera meinsma dvr2580222 ipcam 123456789 jvc pelco1234 1111111111 sony 12341234 111111 0000 000000 \
     4444 5555 1122 11111 88888888 66666666 12345678 87654321 calvin toor raspberry alpine openelec ubuntu vagrant postgres oracle mysql manager access initpass",
    // Test codes of standards and development kits.
    "20202021 34970112332 12345670 03145154 31415926 11122333 11223344 12312312 11112222 thisisunsafe abcd1234 sta1234 espressif \
     factory testtest mypassword mypass wifi1234 esp32 esp8266 abcdefgh 0123456789abcdef 00112233445566778899aabbccddeeff",
    // The most common passwords of people.
    "123123 qwerty abc123 password1 iloveyou 1234567 monkey dragon letmein login princess qwertyuiop solo passw0rd starwars p@ssw0rd \
     qwerty123 1q2w3e4r 1q2w3e zaq12wsx 1qaz2wsx trustno1 welcome welcome1 sunshine master hello freedom whatever football baseball superman \
     michael shadow ashley bailey jesus ninja mustang 121212 flower hottie loveme asdfgh asdfghjkl zxcvbnm 654321 987654321 google",
    "password123 password12 password1234 qwe123 q1w2e3r4 secret secret123 test test123 test1234 demo demo1234 temp temp123 pass123 pass1234 passwd root123 toor \
     user123 user1234 guest123 admin@123 admin12345 admin123456 admin2020 admin2021 admin2022 admin2023 admin2024 admin2025 letmein123 changeit changeme123",
    "internet computer samsung123 iphone android smarthome homeassistant homekit thread zigbee bluetooth device device123 iot12345 gateway sensor controller",
    "hunter2 correcthorsebatterystaple trustme opensesame blank none null nopassword default123 install setup setup123 configure maintenance operator engineer",
];

/// Words that passwords are made of.
pub(super) const WORDS: [&str; 6] = [
    "admin password pass user root guest login welcome secret master super system service support test default hello love sunshine summer winter spring autumn \
     monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december",
    "red blue green yellow orange purple black white silver gold golden brown pink grey happy lucky sunny funny crazy fluffy fuzzy quick quiet brave bright calm clever cool \
     cosmic curly dizzy eager early fancy fast fresh gentle giant grand great jolly kind large little long mighty misty modern noble novel odd perfect pretty proud rapid",
    "apple banana cherry lemon mango melon peach pear plum berry bear bird boat book bridge bunny butter camera candle castle cat chair cheese cloud coffee cookie crow curtain \
     daisy dog dolphin dragon duck eagle earth elephant falcon finch fire fish flower forest fox frog garden ghost grape hill horse house island jungle kitten lake lion",
    "monkey moon mountain ninja ocean octopus onion owl panda parrot pencil piano pirate planet potato prince princess queen rabbit rain river robot rocket rose sail ship shark \
     sky snake snow spider star stone storm street sun sugar swan table tiger tomato train tree tulip turtle unicorn valley violet violin water whale wind window wizard wolf",
    "camera router device home house kitchen office smart wifi internet network secure security modem gateway thing light lamp lock door alarm phone watch radio music movie \
     football baseball soccer hockey tennis london paris berlin tokyo england america europe michael jordan thomas george robert daniel charlie jessica jennifer",
    "strong safe happy-go key magic power shadow soldier hunter killer money freedom whatever trust thunder tango tonight under over breezy carrot elegant rustic vast helpful pastel",
];

/// Rows of keyboards, the alphabet, the digits.
pub(super) const ROWS: [&str; 6] = [
    "0123456789",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
];
