# SPDX-License-Identifier: MIT
# Suites on the host (Check, forked), suites on a device (Check, not forked,
# since OpenCL does not survive a fork) and checks of the tree itself (sh).

# A suite's name stands here, its sources below.
host_suites = \
	tests/check_base \
	tests/check_bench \
	tests/check_bench_log \
	tests/check_chat \
	tests/check_encode \
	tests/check_gguf \
	tests/check_gguf_write \
	tests/check_malformed \
	tests/check_philox \
	tests/check_quantize \
	tests/check_quantize_hard \
	tests/check_ref \
	tests/check_sampler \
	tests/check_synth \
	tests/check_synth_file \
	tests/check_text \
	tests/check_v7 \
	tests/check_world
device_suites = \
	tests/check_ahead \
	tests/check_api \
	tests/check_columns \
	tests/check_measure \
	tests/check_model \
	tests/check_nv \
	tests/check_op \
	tests/check_cache \
	tests/check_cache_hard \
	tests/check_pool \
	tests/check_program \
	tests/check_rt \
	tests/check_sample \
	tests/check_state \
	tests/check_token \
	tests/check_tune \
	tests/check_tuning \
	tests/check_upload
portable_suites = tests/check_ahead tests/check_api tests/check_model tests/check_op \
	tests/check_pool tests/check_program tests/check_rt \
	tests/check_sample tests/check_state tests/check_tune \
	tests/check_tuning
# It measures memory, which a sanitizer's quarantine makes grow.
if !SANITIZE
device_suites += tests/check_growth
endif

tree_checks = tests/layers.sh tests/symbols.sh tests/clver.sh \
	tests/lint_cl.sh tests/headers.sh tests/versions.sh tests/spdx.sh \
	tests/man.sh tests/recipe.sh

# Checks of the program, without a device and with one.
program_checks = tests/cli.sh
device_checks = tests/bench.sh tests/cache_runs.sh tests/cli_run.sh \
	tests/warm_start.sh

# What suites share.
check_LTLIBRARIES = tests/libsuite.la
tests_libsuite_la_SOURCES = \
	tests/check_tiny.c \
	tests/check_util.c tests/check_util.h \
	tests/device_util.c tests/device_util.h \
	tests/malformed.c tests/malformed.h \
	tests/text_util.c tests/text_util.h
tests_libsuite_la_CPPFLAGS = $(suite_cppflags)

suite_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -I$(top_srcdir)/tools \
	$(CHECK_CFLAGS)
suite_libs = tests/libsuite.la libanser_core.la $(CHECK_LIBS)

tests_check_base_SOURCES = tests/check_base.c
tests_check_base_CPPFLAGS = $(suite_cppflags)
tests_check_base_LDADD = $(suite_libs)

tests_check_bench_SOURCES = tests/check_bench.c \
	tools/bench_stats.c tools/bench_stats.h \
	tools/bench_tokens.c tools/bench_tokens.h
tests_check_bench_CPPFLAGS = $(suite_cppflags)
tests_check_bench_LDADD = $(suite_libs)

tests_check_bench_log_SOURCES = tests/check_bench_log.c \
	tools/bench_append.c tools/bench_append.h \
	tools/bench_blocks.c tools/bench_log.c tools/bench_log.h \
	tools/bench_read.c tools/bench_read.h tools/io.c tools/io.h \
	tools/text.c tools/text.h
tests_check_bench_log_CPPFLAGS = $(suite_cppflags) $(JANSSON_CFLAGS)
tests_check_bench_log_LDADD = $(suite_libs) $(JANSSON_LIBS)

tests_check_gguf_SOURCES = tests/check_gguf.c tests/gguf_util.c \
	tests/gguf_util.h
tests_check_gguf_CPPFLAGS = $(suite_cppflags)
tests_check_gguf_LDADD = $(suite_libs)
tests_check_gguf_write_SOURCES = tests/check_gguf_write.c tests/gguf_util.c \
	tests/gguf_util.h
tests_check_gguf_write_CPPFLAGS = $(suite_cppflags)
tests_check_gguf_write_LDADD = $(suite_libs)

tests_check_malformed_SOURCES = tests/check_malformed.c \
	tests/malformed_container.c tests/malformed_model.c \
	tests/malformed_tensors.c
tests_check_malformed_CPPFLAGS = $(suite_cppflags)
tests_check_malformed_LDADD = $(suite_libs)

tests_check_v7_SOURCES = tests/check_v7.c
tests_check_v7_CPPFLAGS = $(suite_cppflags)
tests_check_v7_LDADD = $(suite_libs)

tests_check_chat_SOURCES = tests/check_chat.c \
	tools/chat_format.c tools/chat_format.h tools/stop.c tools/stop.h
tests_check_chat_CPPFLAGS = $(suite_cppflags)
tests_check_chat_LDADD = $(suite_libs)

tests_check_ahead_SOURCES = tests/check_ahead.c tests/cl_faults.c \
	tests/cl_faults.h tests/model_util.c tests/model_util.h
tests_check_ahead_CPPFLAGS = $(suite_cppflags)
tests_check_ahead_LDADD = $(suite_libs)

tests_check_sample_SOURCES = tests/check_sample.c
tests_check_sample_CPPFLAGS = $(suite_cppflags)
tests_check_sample_LDADD = $(suite_libs)

tests_check_api_SOURCES = tests/check_api.c
tests_check_api_CPPFLAGS = $(suite_cppflags)
tests_check_api_LDADD = $(suite_libs)

tests_check_measure_SOURCES = tests/check_measure.c
tests_check_measure_CPPFLAGS = $(suite_cppflags)
tests_check_measure_LDADD = $(suite_libs)

tests_check_model_SOURCES = tests/check_model.c tests/model_util.c \
	tests/model_util.h
tests_check_model_CPPFLAGS = $(suite_cppflags)
tests_check_model_LDADD = $(suite_libs)
tests_check_state_SOURCES = tests/check_state.c tests/model_util.c \
	tests/model_util.h
tests_check_state_CPPFLAGS = $(suite_cppflags)
tests_check_state_LDADD = $(suite_libs)

tests_check_nv_SOURCES = tests/check_nv.c
tests_check_nv_CPPFLAGS = $(suite_cppflags)
tests_check_nv_LDADD = $(suite_libs)

tests_check_op_SOURCES = tests/check_op.c
tests_check_op_CPPFLAGS = $(suite_cppflags)
tests_check_op_LDADD = $(suite_libs)

tests_check_growth_SOURCES = tests/check_growth.c
tests_check_growth_CPPFLAGS = $(suite_cppflags)
tests_check_growth_LDADD = $(suite_libs)

tests_check_tune_SOURCES = tests/check_tune.c tests/model_util.c \
	tests/model_util.h
tests_check_tune_CPPFLAGS = $(suite_cppflags)
tests_check_tune_LDADD = $(suite_libs)
tests_check_tuning_SOURCES = tests/check_tuning.c
tests_check_tuning_CPPFLAGS = $(suite_cppflags)
tests_check_tuning_LDADD = $(suite_libs)

tests_check_philox_SOURCES = tests/check_philox.c
tests_check_philox_CPPFLAGS = $(suite_cppflags)
tests_check_philox_LDADD = $(suite_libs)

tests_check_encode_SOURCES = tests/check_encode.c
tests_check_encode_CPPFLAGS = $(suite_cppflags)
tests_check_encode_LDADD = $(suite_libs)

quantize_sources = tests/quantize_util.c tests/quantize_util.h

tests_check_quantize_SOURCES = tests/check_quantize.c $(quantize_sources)
tests_check_quantize_CPPFLAGS = $(suite_cppflags)
tests_check_quantize_LDADD = $(suite_libs)

tests_check_quantize_hard_SOURCES = tests/check_quantize_hard.c \
	$(quantize_sources)
tests_check_quantize_hard_CPPFLAGS = $(suite_cppflags)
tests_check_quantize_hard_LDADD = $(suite_libs)

tests_check_ref_SOURCES = tests/check_ref.c
tests_check_ref_CPPFLAGS = $(suite_cppflags)
tests_check_ref_LDADD = $(suite_libs)

tests_check_sampler_SOURCES = tests/check_sampler.c
tests_check_sampler_CPPFLAGS = $(suite_cppflags)
tests_check_sampler_LDADD = $(suite_libs)

tests_check_synth_SOURCES = tests/check_synth.c tests/synth_util.c \
	tests/synth_util.h
tests_check_synth_CPPFLAGS = $(suite_cppflags)
tests_check_synth_LDADD = $(suite_libs)

tests_check_synth_file_SOURCES = tests/check_synth_file.c tests/synth_util.c \
	tests/synth_util.h
tests_check_synth_file_CPPFLAGS = $(suite_cppflags)
tests_check_synth_file_LDADD = $(suite_libs)

tests_check_text_SOURCES = tests/check_text.c
tests_check_text_CPPFLAGS = $(suite_cppflags)
tests_check_text_LDADD = $(suite_libs)

tests_check_world_SOURCES = tests/check_world.c
tests_check_world_CPPFLAGS = $(suite_cppflags)
tests_check_world_LDADD = $(suite_libs)

# Suites of the runtime define OpenCL functions of their own (cl_faults.c).
rt_sources = tests/cl_faults.c tests/cl_faults.h tests/rt_util.c \
	tests/rt_util.h
cache_sources = $(rt_sources) tests/cache_util.c tests/cache_util.h

tests_check_cache_SOURCES = tests/check_cache.c $(cache_sources)
tests_check_cache_CPPFLAGS = $(suite_cppflags)
tests_check_cache_LDADD = $(suite_libs)

tests_check_cache_hard_SOURCES = tests/check_cache_hard.c $(cache_sources)
tests_check_cache_hard_CPPFLAGS = $(suite_cppflags)
tests_check_cache_hard_LDADD = $(suite_libs)

tests_check_columns_SOURCES = tests/check_columns.c tests/model_util.c \
	tests/model_util.h
tests_check_columns_CPPFLAGS = $(suite_cppflags)
tests_check_columns_LDADD = $(suite_libs)

tests_check_token_SOURCES = tests/check_token.c tests/synth_util.c \
	tests/synth_util.h
tests_check_token_CPPFLAGS = $(suite_cppflags)
tests_check_token_LDADD = $(suite_libs)

tests_check_upload_SOURCES = tests/check_upload.c $(rt_sources)
tests_check_upload_CPPFLAGS = $(suite_cppflags)
tests_check_upload_LDADD = $(suite_libs)

tests_check_pool_SOURCES = tests/check_pool.c $(rt_sources)
tests_check_pool_CPPFLAGS = $(suite_cppflags)
tests_check_pool_LDADD = $(suite_libs)

tests_check_program_SOURCES = tests/check_program.c $(rt_sources)
tests_check_program_CPPFLAGS = $(suite_cppflags)
tests_check_program_LDADD = $(suite_libs)

tests_check_rt_SOURCES = tests/check_rt.c $(rt_sources)
tests_check_rt_CPPFLAGS = $(suite_cppflags)
tests_check_rt_LDADD = $(suite_libs)

TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = $(SHELL)
TESTS += $(tree_checks) $(program_checks) $(device_checks)
if HAVE_CHECK
check_PROGRAMS += $(host_suites) $(device_suites)
TESTS += $(host_suites) $(device_suites)
endif

EXTRA_DIST += $(tree_checks) $(program_checks) $(device_checks) \
	tests/cli_util.sh tests/cl12.txt tests/installcheck.sh \
	tests/lsan.supp tests/oclgrind.sh tests/vectors/README.md \
	tests/vectors/blocks.txt tests/vectors/logits.txt \
	tests/vectors/make_vectors.py

# Kernel caches of Anser and of the drivers stay in the build tree.
TEST_CACHE = $(abs_top_builddir)/tests/cache
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	CC='$(CC)'; export CC; CXX='$(CXX)'; export CXX; NM='$(NM)'; export NM; \
	CL_LINT='$(CL_LINT)'; export CL_LINT; \
	OPENCL_CFLAGS='$(OPENCL_CFLAGS)'; export OPENCL_CFLAGS; \
	XDG_CACHE_HOME='$(TEST_CACHE)'; export XDG_CACHE_HOME; \
	ANSER_CACHE_DIR='$(TEST_CACHE)/anser'; export ANSER_CACHE_DIR; \
	POCL_CACHE_DIR='$(TEST_CACHE)/pocl'; export POCL_CACHE_DIR; \
	ANSER_HELPER='$(abs_top_builddir)/anser-probe'; export ANSER_HELPER; \
	CK_DEFAULT_TIMEOUT=120; export CK_DEFAULT_TIMEOUT; \
	$(MKDIR_P) $(TEST_CACHE);

# Suites whose tests at tiny shapes run under a simulator: two rows side by side,
# the longest in one, those that come next in the other.
oclgrind_suites = tests/check_op tests/check_model tests/check_pool \
	tests/check_nv tests/check_program tests/check_rt
check-oclgrind: all $(oclgrind_suites)
	@$(AM_TESTS_ENVIRONMENT) \
	$(SHELL) $(srcdir)/tests/oclgrind.sh $(oclgrind_suites)
.PHONY: check-oclgrind

# What takes too long for make check.
check-long: all
	ANSER_LONG=1; export ANSER_LONG; $(MAKE) $(AM_MAKEFLAGS) check \
	TESTS='tests/cache_runs.sh tests/check_cache_hard tests/check_growth'
.PHONY: check-long

# Parts of make check, for .ci/run.
check-host: all
	$(MAKE) $(AM_MAKEFLAGS) check \
	TESTS='$(tree_checks) $(program_checks) $(host_suites)'
check-device: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(device_checks) $(device_suites)'
# What another driver may get wrong, without what only takes its time there.
check-portable: all
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(portable_suites)'
.PHONY: check-host check-device check-portable

clean-local: clean-tests
clean-tests:
	rm -rf tests/cache tests/scratch tests/*.oclgrind.*
.PHONY: clean-tests

check-local: need-check
need-check:
if !HAVE_CHECK
	@echo "make check needs the library Check (0.10 or newer):" >&2
	@echo "  Debian, Ubuntu: apt-get install check" >&2
	@echo "  macOS: brew install check" >&2
	@echo "then run configure again." >&2
	@exit 1
endif
.PHONY: need-check
