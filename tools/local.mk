# SPDX-License-Identifier: MIT
# The program anser.  It sees the public headers only.
bin_PROGRAMS += anser
anser_SOURCES = \
	tools/cache.c \
	tools/chat.c \
	tools/chat_format.c tools/chat_format.h \
	tools/command.h \
	tools/devices.c \
	tools/generate.c tools/generate.h \
	tools/info.c \
	tools/io.c tools/io.h \
	tools/logits.c \
	tools/main.c \
	tools/options.c tools/options.h \
	tools/plan.c \
	tools/progress.c tools/progress.h \
	tools/quantize.c \
	tools/run.c tools/run.h \
	tools/selftest.c \
	tools/session.c tools/session.h \
	tools/stop.c tools/stop.h \
	tools/synth.c \
	tools/tokenize.c \
	tools/tune.c \
	tools/where.c
anser_CPPFLAGS = -I$(top_srcdir)/include $(DEBUG_CPPFLAGS) \
	-DANSER_DATADIR='"$(pkgdatadir)"'
anser_LDADD = libanser.la
