# SPDX-License-Identifier: MIT
# OpenCL C sources, embedded in the library.  cl/LINT says how tests/lint_cl.sh
# compiles each.
cl_files = cl/shared.h cl/philox.h cl/weight.h cl/prelude.cl cl/blocks.cl \
	cl/argmax.cl cl/bandwidth.cl cl/columns.h cl/columns.cl cl/columns_pack.cl \
	cl/cpu_launch.h cl/cpu_token.cl cl/embed.cl cl/finish.cl \
	cl/matmul.cl cl/matmul_wide.cl cl/matvec.cl cl/matvec_block.cl \
	cl/mix.cl cl/norm.cl cl/nv_prelude.h cl/nv_tile.h cl/nv_rows.h cl/nv_norm.h \
	cl/nv_phase.h cl/nv_jobs.h cl/nv_choice.h cl/nv_decode.cl cl/nv_token.cl \
	cl/nv_chunk.cl cl/nv_few.cl cl/nv_gemm.cl cl/nv_matvec.cl cl/nv_matmul.cl \
	cl/nv_prefill.cl cl/nv_wkv7.cl cl/prepare.cl cl/probe.cl cl/sample.h cl/sample.cl cl/sample_cut.cl \
	cl/pack.h cl/strip.h cl/strip.cl cl/strip_pack.cl cl/wkv7.cl

EXTRA_DIST += $(cl_files) cl/embed.awk cl/LINT

nodist_libanser_core_la_SOURCES += cl/cl_text.c
CLEANFILES += cl/cl_text.c

V_embed = $(v_embed_@AM_V@)
v_embed_ = $(v_embed_@AM_DEFAULT_V@)
v_embed_0 = @echo "  EMBED   " $@;

cl/cl_text.c: $(cl_files) $(top_srcdir)/cl/embed.awk $(top_srcdir)/cl/local.mk
	$(V_embed)$(MKDIR_P) cl && files= && \
	for f in $(cl_files); do files="$$files $(srcdir)/$$f"; done && \
	$(AWK) -f $(srcdir)/cl/embed.awk $$files >$@.tmp && mv $@.tmp $@
