# SPDX-License-Identifier: MIT
# RWKV-7: weights, the graph, the state.
libanser_core_la_SOURCES += \
	src/model/ahead.c \
	src/model/ahead.h \
	src/model/density.c \
	src/model/load.c \
	src/model/load.h \
	src/model/model.h \
	src/model/need.h \
	src/model/placement.c \
	src/model/placement.h \
	src/model/stage.c \
	src/model/stage.h \
	src/model/upload.c \
	src/model/upload.h \
	src/model/state.c \
	src/model/state.h \
	src/model/token.c \
	src/model/v7.c \
	src/model/weights.c \
	src/model/work.c
