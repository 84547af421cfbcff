# What anybody needs to do with this repository; `make help` lists it.
.PHONY: help run check test soak bench clean

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

run: ## build it and serve a registry from ./data; it prints URL, password and how to push
	cargo run --release -p wharf -- serve --data ./data

check: ## format, lints and documentation
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet

test: check ## everything: check, tests, real clients, a minute of fuzzing
	e2e/tools/install
	cargo test
	cargo test -p wharf-e2e
	fuzz/run 60

soak: ## the long ones: 1,000 kills, blobs of 5 GiB, an hour of fuzzing
	e2e/tools/install
	WHARF_E2E_KILLS=1000 WHARF_E2E_LARGE_MIB=5120 WHARF_E2E_PUSH_MIB=5120 cargo test -p wharf-e2e -- kill:: large:: resuming:: --nocapture
	fuzz/run 3600

bench: ## CPU and memory of 1 GiB pushed and pulled, beside Debian's docker-registry; what a decision about access costs; wharf beside other clients
	e2e/tools/install
	cargo build --release -p wharf
	e2e/bench/run
	e2e/bench/access
	e2e/bench/client

clean: ## remove what building and testing made; ./data and the installed tools stay
	cargo clean
	rm -rf fuzz/target fuzz/corpus fuzz/artifacts
