//! The service's gRPC face: decode, call the operation, encode.

/// Decodes, calls and encodes what the caller may see: `answer!(self, request, |db, scope, sight, message| …)`.
macro_rules! answer {
    ($self:ident, $request:ident, |$db:ident, $scope:ident, $sight:ident, $message:ident| $work:expr) => {{
        let $sight = $crate::ops::sight::Sight::of(auth::context(&$request)?);
        let $scope = auth::context(&$request)?
            .require_scope()
            .map_err(|error| errors::to_status(&error))?;
        let $db = &$self.engine.db;
        let $message = $request.into_inner();
        let answered: Result<_, $crate::error::Error> = async { $work.await }.await;
        answered
            .map(|answer| tonic::Response::new($sight.show(answer)))
            .map_err(|error| errors::to_status(&error))
    }};
}

pub(crate) mod channel_health;
pub(crate) mod contacts;
pub(crate) mod inbox;
pub(crate) mod service;
pub(crate) mod templates;
pub(crate) mod watch;
