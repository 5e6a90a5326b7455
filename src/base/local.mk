# SPDX-License-Identifier: MIT
# What needs no GPU: context, GGUF, block formats, the reference.
libanser_core_la_SOURCES += \
	src/base/block.h \
	src/base/ctx.c \
	src/base/ctx.h \
	src/base/gguf.h \
	src/base/gguf_write.h \
	src/base/ref.h \
	src/base/status.c \
	src/base/v7.h
