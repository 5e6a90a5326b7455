# SPDX-License-Identifier: MIT
# Manual pages, and the examples that `make installcheck` builds against the
# installed library.
dist_man_MANS += doc/anser.1 doc/anser.3

examples = generate kernels

EXTRA_DIST += $(examples:%=doc/examples/%.c) doc/cpu.md doc/runtime.md \
	doc/performance.md

installcheck-local:
	@top_srcdir='$(abs_top_srcdir)' bindir='$(bindir)' libdir='$(libdir)' \
	pkgconfigdir='$(pkgconfigdir)' PKG_CONFIG='$(PKG_CONFIG)' CC='$(CC)' \
	CFLAGS='$(CFLAGS)' SAN_FLAGS='$(SAN_FLAGS)' \
	OPENCL_REQUIRES='$(OPENCL_REQUIRES)' examples='$(examples)' \
	$(SHELL) $(srcdir)/tests/installcheck.sh
