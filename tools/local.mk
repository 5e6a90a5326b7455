# SPDX-License-Identifier: MIT
# The program anser.  It sees the public headers only.
bin_PROGRAMS += anser
anser_SOURCES = \
	tools/bench.c tools/bench.h \
	tools/bench_append.c tools/bench_append.h \
	tools/bench_blocks.c \
	tools/bench_describe.c \
	tools/bench_json.c \
	tools/bench_log.c tools/bench_log.h \
	tools/bench_markdown.c \
	tools/bench_measure.c \
	tools/bench_quality.c \
	tools/bench_read.c tools/bench_read.h \
	tools/bench_stats.c tools/bench_stats.h \
	tools/bench_table.c \
	tools/bench_tokens.c tools/bench_tokens.h \
	tools/bench_write.c \
	tools/cache.c \
	tools/chat.c \
	tools/chat_format.c tools/chat_format.h \
	tools/command.h \
	tools/compare.c \
	tools/devices.c \
	tools/generate.c tools/generate.h \
	tools/info.c \
	tools/io.c tools/io.h \
	tools/logits.c \
	tools/main.c \
	tools/options.c tools/options.h \
	tools/perplexity.c tools/perplexity.h \
	tools/perplexity_kl.c \
	tools/plan.c \
	tools/plot_svg.c \
	tools/progress.c tools/progress.h \
	tools/quantize.c \
	tools/run.c tools/run.h \
	tools/selftest.c \
	tools/session.c tools/session.h \
	tools/stop.c tools/stop.h \
	tools/synth.c \
	tools/text.c tools/text.h \
	tools/tokenize.c \
	tools/tune.c \
	tools/where.c
anser_CPPFLAGS = -I$(top_srcdir)/include -Itools $(DEBUG_CPPFLAGS) \
	$(JANSSON_CFLAGS) -DANSER_DATADIR='"$(pkgdatadir)"'
anser_LDADD = libanser.la $(JANSSON_LIBS)

# The commit that anser bench tells; rewritten only when it changes.
nodist_anser_SOURCES = tools/commit.h
BUILT_SOURCES += tools/commit.h
CLEANFILES += tools/commit.h
tools/commit.h: name-commit
	@:
name-commit:
	@$(MKDIR_P) tools && \
	commit=`cd $(srcdir) && git describe --always --dirty 2>/dev/null` || \
	commit=unknown; \
	echo "#define ANSER_COMMIT \"$$commit\"" >tools/commit.h.new && \
	if cmp -s tools/commit.h.new tools/commit.h; \
	then rm tools/commit.h.new; \
	else mv tools/commit.h.new tools/commit.h; fi
.PHONY: name-commit
