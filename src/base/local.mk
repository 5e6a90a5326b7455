# SPDX-License-Identifier: MIT
# What needs no GPU: context, GGUF, block formats, the reference.
libanser_core_la_SOURCES += \
	src/base/block.c \
	src/base/block.h \
	src/base/block_32.c \
	src/base/block_decode.h \
	src/base/block_k.c \
	src/base/ctx.c \
	src/base/ctx.h \
	src/base/digest.c \
	src/base/digest.h \
	src/base/encode.h \
	src/base/encode_fit.c \
	src/base/encode_fit.h \
	src/base/encode_k.c \
	src/base/encode_simple.c \
	src/base/gguf.c \
	src/base/gguf.h \
	src/base/gguf_cursor.c \
	src/base/gguf_find.c \
	src/base/gguf_impl.h \
	src/base/gguf_keys.c \
	src/base/gguf_map.c \
	src/base/gguf_tensors.c \
	src/base/gguf_write.c \
	src/base/gguf_write.h \
	src/base/quantize.c \
	src/base/quantize.h \
	src/base/quantize_plan.c \
	src/base/quantize_work.c \
	src/base/ref.c \
	src/base/ref.h \
	src/base/ref_model.c \
	src/base/status.c \
	src/base/synth.c \
	src/base/synth.h \
	src/base/synth_fill.c \
	src/base/synth_plan.c \
	src/base/synth_vocab.c \
	src/base/tempfile.c \
	src/base/tempfile.h \
	src/base/v7.c \
	src/base/v7.h \
	src/base/v7_bind.c \
	src/base/world.c \
	src/base/world.h
