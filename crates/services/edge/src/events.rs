pub(crate) mod publish;
pub(crate) mod relay;
