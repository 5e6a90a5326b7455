# SPDX-License-Identifier: MIT
# The operations, each a table of kernel variants.
libanser_core_la_SOURCES += \
	src/op/argmax.c \
	src/op/check.c \
	src/op/check.h \
	src/op/contest.c \
	src/op/contest.h \
	src/op/embed.c \
	src/op/finish.c \
	src/op/layout.c \
	src/op/layout.h \
	src/op/matmul.c \
	src/op/mix.c \
	src/op/norm.c \
	src/op/nv_check.c \
	src/op/nv_phase.c \
	src/op/nv_phase.h \
	src/op/op.h \
	src/op/phase.c \
	src/op/phase.h \
	src/op/phase_set.c \
	src/op/phase_set.h \
	src/op/prepare.c \
	src/op/strip.c \
	src/op/strip.h \
	src/op/probe.c \
	src/op/probe.h \
	src/op/select.c \
	src/op/select.h \
	src/op/small.c \
	src/op/small.h \
	src/op/tables.c \
	src/op/tables.h \
	src/op/tune.c \
	src/op/tune.h \
	src/op/tune_bench.c \
	src/op/tune_bench.h \
	src/op/tune_parts.c \
	src/op/tune_parts.h \
	src/op/tuning.c \
	src/op/tuning.h \
	src/op/tuning_file.c \
	src/op/variant.c \
	src/op/variant.h \
	src/op/wkv7.c
