# SPDX-License-Identifier: MIT
# OpenCL made small: devices, queue, memory, programs.
libanser_core_la_SOURCES += \
	src/rt/buffer.h \
	src/rt/cl.h \
	src/rt/device.h \
	src/rt/program.h \
	src/rt/queue.h
