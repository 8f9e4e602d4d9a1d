pub(crate) mod publish;
