//! Places where a test may kill the process, to show that a crash right there loses and doubles
//! nothing. Without the feature `failpoints` they compile to nothing.

/// Kills the process here, as SIGKILL would, when the fail point of this name is set to `return`:
/// `FAILPOINTS="edge.committed=1*return"`.
#[macro_export]
macro_rules! point {
    ($name:literal) => {
        $crate::reached($name)
    };
}

/// The implementation of [`point!`].
#[cfg(feature = "failpoints")]
pub fn reached(name: &'static str) {
    let killed: Option<()> = fail::eval(name, |_| std::process::abort());
    debug_assert!(killed.is_none(), "an aborted process does not return");
}

/// The implementation of [`point!`]: nothing, in this build.
#[cfg(not(feature = "failpoints"))]
pub const fn reached(_name: &'static str) {}

/// Reads `FAILPOINTS`. Only programs made for such tests call it.
#[cfg(feature = "failpoints")]
pub fn read_environment() -> fail::FailScenario<'static> {
    fail::FailScenario::setup()
}
