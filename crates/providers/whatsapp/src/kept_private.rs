//! Debug output without what people write.
//!
//! Messages, names and numbers must not get into logs, and a value in a log line is printed with
//! `Debug` sooner or later. So the types that hold them print what they are and nothing they hold.

/// Implements `Debug` for types that hold what people write: `Contact(..)`, or with an expression
/// for the kind, `Message(text)`. Neither may print an id: WhatsApp's ids contain phone numbers.
macro_rules! kept_private {
    ($($type:ident),+ $(,)?) => {
        $(kept_private!($type, |_value| "..");)+
    };
    ($type:ident, |$value:ident| $kind:expr) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let $value = self;
                write!(f, "{}({})", stringify!($type), $kind)
            }
        }
    };
}
