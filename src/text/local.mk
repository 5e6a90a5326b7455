# SPDX-License-Identifier: MIT
# Bytes to tokens and back; logits to a token.
libanser_core_la_SOURCES += \
	cl/philox.h cl/weight.h \
	src/text/sampler.c src/text/sampler.h \
	src/text/tokenizer.c \
	src/text/utf8.c \
	src/text/vocab.c src/text/vocab.h
