# SPDX-License-Identifier: MIT
libanser_core_la_SOURCES += \
	src/base/block.c src/base/block.h src/base/block_32.c \
	src/base/block_decode.h src/base/block_k.c \
	src/base/ctx.c src/base/ctx.h src/base/status.c
