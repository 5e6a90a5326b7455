# SPDX-License-Identifier: MIT
# The default model, and what is needed to make it again.

tales = models/tales-q4_k_m.gguf

# Installed where `anser run` without -m looks; a copy beside the program in
# the build tree, for the same.
tales_dir = $(pkgdatadir)
dist_tales__DATA = $(tales)

all-local: link-tales
link-tales:
	@test -f $(tales) || { $(MKDIR_P) models && \
	$(LN_S) $(abs_top_srcdir)/$(tales) $(tales); }
.PHONY: link-tales

distclean-local: unlink-tales
unlink-tales:
	@test ! -h $(tales) || rm -f $(tales)
.PHONY: unlink-tales

EXTRA_DIST += doc/tales-loss.svg models/README.md \
	models/recipe/README.md models/recipe/check_wkv7.py \
	models/recipe/convert.py models/recipe/curve.py \
	models/recipe/eval.py models/recipe/gguf.py models/recipe/model.py \
	models/recipe/optim.py models/recipe/recipe.py \
	models/recipe/slices.py models/recipe/test_slices.py \
	models/recipe/train.py models/recipe/vocab.py models/recipe/wkv7.cu \
	models/recipe/wkv7.py
