# SPDX-License-Identifier: MIT
# OpenCL made small: devices, queue, memory, programs.
libanser_core_la_SOURCES += \
	src/rt/bandwidth.c src/rt/bandwidth.h \
	src/rt/buffer.c src/rt/buffer.h \
	src/rt/cache.c src/rt/cache.h \
	src/rt/cache_admin.c \
	src/rt/cache_dir.c src/rt/cache_dir.h \
	src/rt/cache_file.c src/rt/cache_file.h \
	src/rt/cache_pass.c \
	src/rt/caps.c \
	src/rt/cl.c src/rt/cl.h \
	src/rt/device.c src/rt/device.h \
	src/rt/device_list.c src/rt/device_list.h \
	src/rt/inbox.c src/rt/inbox.h \
	src/rt/probe.c \
	src/rt/program.c src/rt/program.h \
	src/rt/program_build.c src/rt/program_build.h \
	src/rt/queue.c src/rt/queue.h \
	src/rt/settings.c src/rt/settings.h \
	src/rt/wait.c src/rt/wait.h
