# Thin: each target is one line; the work is done by Meson, Ninja and scripts/.
.DEFAULT_GOAL := build
.PHONY: build
build: ; @test -d build/release || meson setup build/release >/dev/null; ninja -C build/release && ln -sfn release/tally build/tally
