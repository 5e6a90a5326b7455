# SPDX-License-Identifier: MIT
# The public names: argument checks, no logic.
libanser_core_la_SOURCES += \
	src/api/cl_api.c \
	src/api/file_api.c \
	src/api/generate_api.c \
	src/api/insight_api.c \
	src/api/model_api.c \
	src/api/run_api.c \
	src/api/stats_api.c \
	src/api/tune_api.c
