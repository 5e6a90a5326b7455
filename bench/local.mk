# SPDX-License-Identifier: MIT
# Timing of single operations (whole models: anser bench), and the text on which
# anser bench --quality text works.
noinst_PROGRAMS += bench/opbench
bench_opbench_SOURCES = bench/opbench.c bench/opbench.h \
	bench/opbench_matmul.c bench/opbench_phase.c
bench_opbench_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/bench
bench_opbench_LDADD = libanser_core.la

# make bench: the operations, briefly.  With BENCH_FLAGS='--save FILE' the
# figures go to FILE, too, for anser bench --compare.
bench: bench/opbench
	bench/opbench --quick $(BENCH_FLAGS)
.PHONY: bench

text = bench/text/kjv.txt
text_dir = $(pkgdatadir)
dist_text__DATA = $(text)
EXTRA_DIST += bench/text/README.md bench/text/make.sh

# Where anser in a build tree looks.
all-local: link-text
link-text:
	@test -f $(text) || { $(MKDIR_P) bench/text && \
	$(LN_S) $(abs_top_srcdir)/$(text) $(text); }
.PHONY: link-text

distclean-local: unlink-text
unlink-text:
	@test ! -h $(text) || rm -f $(text)
.PHONY: unlink-text

# One run, for bench/runtime_table.sh.
EXTRA_PROGRAMS += bench/once
bench_once_SOURCES = bench/once.c
bench_once_CPPFLAGS = -I$(top_srcdir)/include $(DEBUG_CPPFLAGS)
bench_once_LDADD = libanser.la
CLEANFILES += bench/once
EXTRA_DIST += bench/runtime_table.sh bench/spread.sh
