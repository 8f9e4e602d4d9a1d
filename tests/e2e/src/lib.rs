//! Scenarios across all services, over real PostgreSQL, RabbitMQ, gRPC and HTTP. The library holds
//! nothing; `bin/victim.rs` is the platform as a process of its own, for tests that kill it.
