//! Classes and users in words: `identity`, `settings`, `user`, `user:7`, `application:3`.
//!
//! ```text
//!  arguments · expected · inspect · residue
//!  class_name (this file)
//! ```

use bydesign::store::{Class, DataClass, UserId};

/// The class and user of a name.
///
/// ```
/// use bydesign::store::{DataClass, UserId};
/// use bydesign_cli::class_name;
///
/// assert_eq!(class_name::parse("user:7"), Ok(DataClass::user(UserId(7))));
/// assert!(class_name::parse("users").is_err());
/// ```
///
/// # Errors
///
/// A sentence with the names that there are.
pub fn parse(name: &str) -> Result<DataClass, &'static str> {
    let (class, number) = name
        .split_once(':')
        .map_or((name, None), |(class, number)| (class, Some(number)));
    let data = match (class, number) {
        ("identity", None) => Some(Class::Identity.into()),
        ("settings", None) => Some(Class::Settings.into()),
        ("user", None) => Some(Class::User.into()),
        ("user", Some(number)) => number.parse().ok().map(|user| DataClass::user(UserId(user))),
        ("application", Some(number)) => number
            .parse()
            .ok()
            .map(|number| Class::Application(number).into()),
        _ => None,
    };
    data.ok_or("a class is identity, settings, user, user:7 or application:3")
}

/// The name of a class and user.
#[must_use]
pub fn of(data: DataClass) -> String {
    match (data.class(), data.user_id()) {
        (Class::Identity, _) => "identity".into(),
        (Class::Settings, _) => "settings".into(),
        (Class::User, UserId::HOUSEHOLD) => "user".into(),
        (Class::User, UserId(user)) => format!("user:{user}"),
        (Class::Application(number), _) => format!("application:{number}"),
        // Classes that this tool does not know yet.
        (class, _) => format!("{class:?}"),
    }
}
