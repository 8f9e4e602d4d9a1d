//! Debug output without people's names, addresses and ids.

/// Implements `Debug` for types that hold personal data: `User(..)`, or with an expression for
/// what may be told, `Patch(3 operations)`.
macro_rules! kept_private {
    ($($type:ident),+ $(,)?) => {
        $(kept_private!($type, |_value| "..");)+
    };
    ($type:ident, |$value:ident| $told:expr) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let $value = self;
                write!(f, "{}({})", stringify!($type), $told)
            }
        }
    };
}
