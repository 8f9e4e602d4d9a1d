SHELL := bash

.PHONY: run demo test bench contract check fmt gen sqlx up down

run:       ; @scripts/run.sh
demo:      ; @scripts/demo.sh
test:      ; @scripts/test.sh
bench:     ; @scripts/bench.sh
contract:  ; @scripts/contract.sh
check:     ; @scripts/check.sh --clippy
fmt:       ; @. scripts/build-env.sh && cargo fmt --all
gen:       ; @. scripts/build-env.sh && cargo xtask gen
sqlx:      ; @scripts/sqlx.sh write
up:        ; @scripts/stack.sh up
down:      ; @scripts/stack.sh down
